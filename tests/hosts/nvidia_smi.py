#!/usr/bin/env python3
"""A driver's tool for tests: as many GPUs as FAKE_GPUS says, used by the pids in FAKE_GPU_USERS.

FAKE_GPU_USERS is a file of `uuid pid` lines; a process that is no more uses nothing.
"""

import os
import sys

count = int(os.environ.get("FAKE_GPUS", "2"))
query = next((arg for arg in sys.argv[1:] if arg.startswith("--query-")), "")
if query.startswith("--query-gpu=driver_version"):
    print("\n".join(["550.1"] * count))
elif query.startswith("--query-gpu=uuid"):
    for number in range(count):
        print(f"GPU-{number:04d}, {number}, Fake {number}, 81559, 0, 7, 70.5")
elif query.startswith("--query-compute-apps"):
    try:
        with open(os.environ["FAKE_GPU_USERS"]) as file:
            users = [line.split() for line in file]
    except (KeyError, FileNotFoundError):
        users = []
    for uuid, pid in users:
        if os.path.isdir(f"/proc/{pid}"):
            print(f"{uuid}, {pid}")
elif not query:
    print("| NVIDIA-SMI 550.1   Driver Version: 550.1   CUDA Version: 12.4 |")
