"""The real Python door of NVML over a made-up driver library: names, types and units fit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What libnvidia-ml.so.1 exports, as far as it is asked; 3 is NVML_ERROR_NOT_SUPPORTED.
LIBRARY = r"""
#include <string.h>
typedef int ret; typedef void *dev;
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned gpu, memory; } use_t;
static int card, energy_mj = 1000;
ret nvmlInit_v2(void) { return 0; }
ret nvmlInitWithFlags(unsigned f) { return 0; }
ret nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(ret r) { return "made up"; }
ret nvmlDeviceGetCount_v2(unsigned *n) { *n = 1; return 0; }
ret nvmlDeviceGetHandleByIndex_v2(unsigned i, dev *d) { *d = &card; return i ? 6 : 0; }
ret nvmlDeviceGetName(dev d, char *s, unsigned n) { strncpy(s, "Toy GPU", n); return 0; }
ret nvmlSystemGetDriverVersion(char *s, unsigned n) { strncpy(s, "580.1", n); return 0; }
ret nvmlDeviceGetPowerUsage(dev d, unsigned *mw) { *mw = 250000; return 0; }
ret nvmlDeviceGetTotalEnergyConsumption(dev d, unsigned long long *mj) {
  *mj = energy_mj += 500; return 0;
}
ret nvmlDeviceGetEnforcedPowerLimit(dev d, unsigned *mw) { *mw = 700000; return 0; }
ret nvmlDeviceGetMemoryInfo(dev d, memory_t *m) { m->used = 5ull << 30; return 0; }
ret nvmlDeviceGetClockInfo(dev d, unsigned k, unsigned *mhz) { *mhz = 100 * (k + 1); return 0; }
ret nvmlDeviceGetTemperature(dev d, unsigned k, unsigned *c) { *c = 55; return 0; }
ret nvmlDeviceGetUtilizationRates(dev d, use_t *u) { return 3; }
ret nvmlDeviceGetCurrentClocksThrottleReasons(dev d, unsigned long long *r) {
  *r = 0x24; return 0;
}
"""
ASK = """
import json
from dataclasses import asdict
from edgeval.device import nvidia
card, notes = nvidia.find("")
other, why = nvidia.find("1")
print(json.dumps({
    "facts": asdict(card.facts), "unit": card.meter.unit, "joules": card.read(),
    "memory": dict(card.memory()), "state": asdict(card.state()), "why": why,
}))
card.close()
"""


def test_every_name_type_and_unit_fits_the_real_binding(tmp_path: Path) -> None:
    pytest.importorskip("pynvml")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make a driver library with")
    source = tmp_path / "nvml.c"
    source.write_text(LIBRARY)
    made = str(tmp_path / "libnvidia-ml.so.1")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, str(source)], check=True)
    told = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}  # noqa: TID251 - a child's
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=told, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert got.pop("why")[0].startswith("NVML knows no card 1")
    assert got == {
        "facts": {
            "kind": "nvidia",
            "name": "Toy GPU",
            "power_mode": "limit 700 W",
            "details": {"driver": "580.1"},
        },
        "unit": "joules",
        "joules": [0.5],
        "memory": {"device": 5 << 30},
        "state": {
            "clock_mhz": {"graphics": 100.0, "sm": 200.0, "memory": 300.0},
            "temperature_c": {"gpu": 55.0},
            "load": {},
            "events": {},
            "throttled": ["power cap", "software thermal slowdown"],
        },
    }
