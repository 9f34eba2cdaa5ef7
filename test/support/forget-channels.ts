// The SDK goes on listening to the diagnostics channels of this process when the globals of its test file are gone, and then breaks
// the requests of the next file. Imported before the SDK, this ends at the end of the file whatever it listens to.
import channels from 'node:diagnostics_channel';

const { subscribe } = channels;
const ends: (() => void)[] = [];

channels.subscribe = (name, listener) => {
  ends.push(() => channels.unsubscribe(name, listener));
  subscribe(name, listener);
};

afterAll(() => {
  channels.subscribe = subscribe;
  for (const end of ends) end();
});
