"""`postgres://…` is the other name of `postgresql://…`."""

from mlctl.data.sources.postgresql import fetch_query as fetch_query
