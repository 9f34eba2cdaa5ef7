// A plugin for tests, alone in its folder because kong-pdk loads every file there. In: Kong's log phase. Out: one line
// of JSON a request, appended to the configured file. Exits at once when asked by a request with the header x-die.
'use strict';

const { appendFileSync } = require('node:fs');
const process = require('node:process');

class RecorderPlugin {
  constructor(config) {
    this.config = config;
  }

  async log(kong) {
    const text = await kong.log.serialize();
    if (JSON.parse(text).request.headers['x-die'] !== undefined) process.exit(7);
    if (this.config.file !== undefined) appendFileSync(this.config.file, `${text}\n`);
  }
}

module.exports = {
  Plugin: RecorderPlugin,
  Name: 'recorder',
  Version: '1.0.0',
  Priority: 1,
  Schema: [
    { file: { type: 'string' } },
    { level: { type: 'string', one_of: ['low', 'high'], default: 'low' } },
    { interval_s: { type: 'integer', between: [1, 60], default: 5 } },
    { secret: { type: 'string', referenceable: true } },
    {
      rules: {
        type: 'array',
        elements: {
          type: 'record',
          fields: [{ status: { type: 'integer', required: true, between: [200, 599] } }],
        },
      },
    },
  ],
};
