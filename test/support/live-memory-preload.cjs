// Loaded into a process before anything else: at SIGUSR2 it collects its garbage and writes the bytes that are left into a file.
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const process = require('node:process');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const file = `${process.env.GATEWATCH_TEST_LIVE_MEMORY}/${process.pid}`;
  writeFileSync(`${file}.new`, String(heapUsed + external));
  renameSync(`${file}.new`, file);
});
