// Loaded into a process before anything else: its clocks are ahead by the seconds that a file tells, as if so much time had
// passed. Timers run as they do. libfaketime will not do for this: now and then it lets a thread see the true time, and a
// monotonic clock then goes back by hours.
'use strict';
const { readFileSync } = require('node:fs');
const { performance } = require('node:perf_hooks');
const { env } = require('node:process');

const file = env.GATEWATCH_TEST_PASSED_SECONDS_FILE;
const systemNow = Date.now;
const monotonicNow = performance.now.bind(performance);
const aheadMs = () => Number(readFileSync(file, 'utf8')) * 1_000;

Date.now = () => systemNow() + aheadMs();
performance.now = () => monotonicNow() + aheadMs();
