// The alerts' memory in a process of its own, to be killed or given a bad disk. Arguments: the data directory, how many events
// to keep, how many commits to do, the pause between two in ms. It says what the check of the memory says and what it finds, as
// JSON; then each commit N writes its number into ten alerts, adds event N and removes an old one, and is answered by `committed
// N` or `failed N: why`.
'use strict';
const { writeSync } = require('node:fs');
const { argv } = require('node:process');
const { setTimeout: pause } = require('node:timers/promises');
const { checkMemory } = require('../../../dist/sidecar/memory/check-memory.js');
const { MemoryStore } = require('../../../dist/sidecar/memory/memory-store.js');

const [directory, kept, commits, pauseMs] = [argv[2], Number(argv[3]), Number(argv[4]), Number(argv[5] ?? 0)];
// At once: what is only in a buffer dies with the process.
const say = (line) => writeSync(1, `${line}\n`);
const clock = { nowMs: () => Date.now() };

async function main() {
  const sentences = checkMemory(directory, clock.nowMs());
  const { store, entries, unreadable } = MemoryStore.open(directory, clock);
  const under = (prefix) => [...entries].filter(([key]) => key.startsWith(prefix));
  const events = under('event/').map(([key, { number }]) => [Number(key.slice('event/'.length)), number]);
  const alerts = under('alert/').map(([, { number }]) => number);
  const isWhole = [...entries.values()].every(({ number, text }) => text === textOf(number));
  say(
    `found ${JSON.stringify({ sentences, unreadable, fault: store.fault?.message, alerts, events, isWhole })}`,
  );
  const last = Math.max(0, ...alerts, ...events.flat());
  for (let number = last + 1; number <= last + commits; number++) {
    const value = { number, text: textOf(number) };
    const puts = Array.from({ length: 10 }, (_, index) => ({ key: `alert/${index}`, value }));
    puts.push({ key: `event/${number}`, value });
    await store.commit({ puts, deletes: [`event/${number - kept}`] }).then(
      () => say(`committed ${number}`),
      (error) => say(`failed ${number}: ${error.message}; waiting ${store.waiting}`),
    );
    if (pauseMs > 0) await pause(pauseMs);
  }
  await store.close();
}

/** Of one byte to two pages. */
function textOf(number) {
  return String.fromCharCode(97 + (number % 26)).repeat(1 + ((number * 997) % 8192));
}

void main();
