// For a busy machine: how long a test waits for what it expects before it fails.

import { configure } from '@testing-library/react';

configure({ asyncUtilTimeout: 10_000 });
