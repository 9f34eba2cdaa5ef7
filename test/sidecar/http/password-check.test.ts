import { hashSync } from 'bcryptjs';
import { Secret } from '../../../sidecar/config/secret';
import type { WebUser } from '../../../sidecar/config/web-config';
import { MAX_REMEMBERED, MAX_WAITING, PasswordCheck } from '../../../sidecar/http/password-check';
import { ManualClock } from '../../support/manual-clock';

const user = (name: string, password: string): WebUser => ({ name, hash: new Secret(hashSync(password, 4)) });
const USERS = [user('alice', 'wonderland'), user('bob', 'builder-of-things')];

let clock: ManualClock;
let passwords: PasswordCheck;

beforeEach(() => {
  clock = new ManualClock();
  passwords = new PasswordCheck(clock);
});

/** Lets the pause after a wrong password pass. */
async function afterPause<Answer>(answer: Promise<Answer>): Promise<Answer> {
  await clock.timersSet(1);
  clock.advance(0);
  return answer;
}

describe('a password', () => {
  it('is right for its own user only, and is compared once', async () => {
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    expect(await afterPause(passwords.check(USERS, 'bob', 'wonderland'))).toBe('wrong');
    expect(await afterPause(passwords.check(USERS, 'alice', 'Wonderland'))).toBe('wrong');
    expect(await afterPause(passwords.check(USERS, 'alice', ''))).toBe('wrong');
    // Nothing waits: these are remembered.
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    expect(await passwords.check(USERS, 'bob', 'wonderland')).toBe('wrong');
    expect(clock.timers).toBe(0);
  });

  it('is compared for an unknown name too, and is wrong whatever it is', async () => {
    expect(await afterPause(passwords.check(USERS, 'mallory', 'wonderland'))).toBe('wrong');
    expect(await afterPause(passwords.check(USERS, '__proto__', ''))).toBe('wrong');
  });

  it('counts no longer once its hash was changed, nor once its user was taken away', async () => {
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    const changed = [user('alice', 'looking-glass')];
    expect(await afterPause(passwords.check(changed, 'alice', 'wonderland'))).toBe('wrong');
    expect(await passwords.check(changed, 'alice', 'looking-glass')).toBe('right');
    expect(await afterPause(passwords.check([user('bob', 'x')], 'alice', 'looking-glass'))).toBe('wrong');
  });

  it('is not forgotten for all the guesses of others', async () => {
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    for (let guess = 0; guess <= MAX_REMEMBERED; guess++) {
      expect(await afterPause(passwords.check(USERS, 'alice', `guess ${guess}`))).toBe('wrong');
    }
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    // The first guess was forgotten, so it is compared again, and there is a pause.
    expect(await afterPause(passwords.check(USERS, 'alice', 'guess 0'))).toBe('wrong');
  });

  it('is told to come again when too many are being compared, but not if it is known', async () => {
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    const guesses = Array.from({ length: MAX_WAITING + 5 }, (_, guess) =>
      passwords.check(USERS, 'bob', `guess ${guess}`),
    );
    expect(await Promise.all(guesses.slice(MAX_WAITING))).toEqual(Array<string>(5).fill('busy'));
    expect(await passwords.check(USERS, 'alice', 'wonderland')).toBe('right');
    for (const guess of guesses.slice(0, MAX_WAITING)) expect(await afterPause(guess)).toBe('wrong');
    expect(await passwords.check(USERS, 'bob', 'builder-of-things')).toBe('right');
  });

  it('is compared after the pause that a wrong one before it caused', async () => {
    const wrong = passwords.check(USERS, 'alice', 'guess');
    const right = passwords.check(USERS, 'bob', 'builder-of-things');
    await clock.timersSet(1);
    let answered = false;
    void right.then(() => (answered = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    clock.advance(0);
    expect([await wrong, await right]).toEqual(['wrong', 'right']);
  });
});
