// Makes the sidecar fail: by SIGUSR2 with an uncaught exception, by SIGWINCH with an unhandled rejection; and each answer of
// /metrics where FAILING_METRICS is set, until SIGURG.
const process = require('node:process');
const { Registry } = require('prom-client');

const fail = () => {
  throw Object.assign(new TypeError(`a planted fault at ${process.env.PLANTED}`), {
    authorization: process.env.PLANTED,
  });
};
process.on('SIGUSR2', fail);
process.on('SIGWINCH', () => void Promise.reject(new RangeError('a planted rejection')));
const { getMetricsAsJSON } = Registry.prototype;
Registry.prototype.getMetricsAsJSON = function () {
  return process.env.FAILING_METRICS && !process.env.HEALED ? fail() : getMetricsAsJSON.call(this);
};
process.on('SIGURG', () => (process.env.HEALED = '1'));
