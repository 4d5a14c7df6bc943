"""How every test runs: hypothesis without a clock, since the machine may be busy.

``HYPOTHESIS_PROFILE=search`` looks longer and somewhere new each time.
"""

import os

from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))
