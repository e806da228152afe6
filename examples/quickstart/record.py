"""Writes traffic as a gateway's log would have it, for `agentctl analyze`: the same every time."""

import random

random.seed(1)
print("time,arm,error,latency,cost,conversation")
for conversation in range(3000):
    arm = "candidate" if random.random() < 0.2 else "stable"
    fails = random.random() < (0.06 if arm == "candidate" else 0.02)
    for turn in range(random.randint(1, 4)):
        time = conversation / 2 + turn * 0.4
        error = "true" if fails and turn == 0 else "false"
        latency = random.lognormvariate(-1, 0.5)
        cost = random.lognormvariate(-5, 0.7)
        print(f"{time:.1f},{arm},{error},{latency:.3f},{cost:.5f},c{conversation}")
