"""Workflows that run the monitors on a schedule, commit the reports and keep one issue. Pure.

An incident's issue is found by a label of its own, `mlctl-<name>-<since>`, so that a second run
updates the first one's.
"""

from __future__ import annotations

GITHUB, GITLAB = ".github/workflows/monitor.yml", ".gitlab/monitor.yml"

# For each incident that goes on: one issue, made once. For each that is over: closed.
_ISSUES = """\
for file in reports/monitoring/*/incidents/*.json; do
  [ -e "$file" ] || continue
  name=$(basename "$(dirname "$(dirname "$file")")")
  since=$(basename "$file" .json)
  closed=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["closed"])' "$file")
  title="mlctl: $name since $since"
  {find}
  if [ -z "$closed" ] && [ -z "$number" ]; then
    mlctl monitor show "$name" > issue.txt
    {create}
  elif [ -n "$closed" ] && [ -n "$number" ]; then
    {close}
  fi
done
"""

_COMMIT = """\
git config user.name mlctl
git config user.email mlctl@localhost
git add reports/monitoring
git diff --cached --quiet || git commit -m "Monitoring reports"
"""


def github(schedule: str) -> str:
    """The workflow for GitHub, by its own `gh`."""
    issues = _ISSUES.format(
        find='number=$(gh issue list --state open --search "\\"$title\\" in:title" '
        "--json number --jq '.[0].number // empty')",
        create='gh issue create --title "$title" --body-file issue.txt',
        close='gh issue close "$number" --comment "back to normal in $closed"',
    )
    return f"""\
# Made by `mlctl monitor ci --github`: runs the monitors, commits their reports, keeps one issue for
# each incident.
name: Monitor
on:
  schedule:
    - cron: "{schedule}"
  workflow_dispatch:
permissions:
  contents: write
  issues: write
concurrency: monitor
jobs:
  monitor:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install 'mlctl-git[monitor]'
      - name: Data
        run: dvc pull --allow-missing
      - name: Monitors
        id: monitors
        run: mlctl monitor run --alert --no-record-commit --markdown "$GITHUB_STEP_SUMMARY"
        continue-on-error: true
      - name: Reports
        run: |
{_indented(_COMMIT + "git push", 10)}
      - name: Issues
        env:
          GH_TOKEN: ${{{{ github.token }}}}
        run: |
{_indented(issues, 10)}
      - if: steps.monitors.outcome == 'failure'
        run: exit 1
"""


def gitlab(schedule: str) -> str:
    """The job for GitLab, by its own `glab`; the schedule itself is set in GitLab."""
    issues = _ISSUES.format(
        find='number=$(glab issue list --search "$title" --in title --output json | python3 -c '
        '\'import json, sys; print(next((i["iid"] for i in json.load(sys.stdin)), ""))\')',
        create='glab issue create --title "$title" --description "$(cat issue.txt)" --yes',
        close='glab issue note "$number" --message "back to normal in $closed" '
        '&& glab issue close "$number"',
    )
    push = 'git push "https://mlctl:$MONITOR_TOKEN@${CI_REPOSITORY_URL#*@}" HEAD:$CI_DEFAULT_BRANCH'
    return f"""\
# Made by `mlctl monitor ci --gitlab`. Include it: `include: {{local: {GITLAB}}}`, set a pipeline
# schedule of "{schedule}", and the variable MONITOR_TOKEN (a project token that may write).
monitor:
  image: python:3.12
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  resource_group: monitor
  variables:
    GITLAB_TOKEN: $MONITOR_TOKEN
  script:
    - pip install 'mlctl-git[monitor]'
    - dvc pull --allow-missing
    - mlctl monitor run --alert --no-record-commit --markdown summary.md || failed=$?
    - |
{_indented(_COMMIT + push, 6)}
    - |
      command -v glab > /dev/null || exit ${{failed:-0}}
{_indented(issues, 6)}
    - exit ${{failed:-0}}
  artifacts:
    when: always
    paths: [summary.md]
"""


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line else "" for line in text.rstrip("\n").splitlines())
