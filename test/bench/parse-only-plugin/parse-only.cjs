// The least that a log plugin can do, to measure against; alone in its folder because kong-pdk loads every file there.
// In: Kong's log phase. Out: nothing; the log is fetched and parsed.
'use strict';

class ParseOnlyPlugin {
  async log(kong) {
    JSON.parse(await kong.log.serialize());
  }
}

module.exports = {
  Plugin: ParseOnlyPlugin,
  Name: 'parse-only',
  Version: '1.0.0',
  Priority: 1,
  Schema: [],
};
