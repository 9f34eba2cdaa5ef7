// Whether a name and a password are those of a user. bcrypt is slow on purpose (cost 10: about 60 ms of this process), so an
// answer is remembered, as Prometheus' exporter-toolkit does, under a keyed digest and not with the password itself.
// One comparison runs at a time, and after a wrong one there is a pause of three times as long, so guessing takes at most a
// quarter of a core from the batches. At most MAX_WAITING wait; one more is told to come again.
// An unknown name is compared too, with a hash that no password has, so that the time does not tell which names there are.
import { createHmac, randomBytes } from 'node:crypto';
import { compare } from 'bcryptjs';
import type { Clock } from '../clock';
import type { WebUser } from '../config/web-config';

export const MAX_WAITING = 8;
/** Of right and of wrong ones each; guesses do not push out what is right. */
export const MAX_REMEMBERED = 100;
const PAUSE_FACTOR = 3;

export type PasswordAnswer = 'right' | 'wrong' | 'busy';

export class PasswordCheck {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param users those in force now; what was remembered for another hash of a name does not count */
  async check(users: readonly WebUser[], name: string, password: string): Promise<PasswordAnswer> {
    const user = users.find((one) => one.name === name);
    const hash = user?.hash.reveal() ?? decoyHash(users);
    const digest = createHmac('sha256', this.#key)
      .update(JSON.stringify([name, hash, password]))
      .digest('base64');
    const remembered = this.#remembered(digest);
    if (remembered) return remembered;
    if (this.#waiting >= MAX_WAITING) return 'busy';
    this.#waiting += 1;
    const answer = this.#last.then(async () => {
      this.#waiting -= 1;
      // Those before it may have asked the same.
      return this.#remembered(digest) ?? this.#compare(password, hash, user !== undefined, digest);
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  #remembered(digest: string): PasswordAnswer | undefined {
    if (this.#right.has(digest)) return 'right';
    return this.#wrong.has(digest) ? 'wrong' : undefined;
  }

  async #compare(password: string, hash: string, isUser: boolean, digest: string): Promise<PasswordAnswer> {
    const startMs = this.#clock.monotonicMs();
    const equal = await compare(password, hash);
    const tookMs = this.#clock.monotonicMs() - startMs;
    const answer = equal && isUser ? 'right' : 'wrong';
    remember(answer === 'right' ? this.#right : this.#wrong, digest);
    if (answer === 'wrong') await this.#pause(PAUSE_FACTOR * tookMs);
    return answer;
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(durationMs, resolve));
  }
}

/** The oldest leaves when it is full. */
function remember(answers: Set<string>, digest: string): void {
  answers.add(digest);
  const [oldest] = answers;
  if (answers.size > MAX_REMEMBERED && oldest !== undefined) answers.delete(oldest);
}

/** As slow as the slowest of the users' hashes. */
function decoyHash(users: readonly WebUser[]): string {
  const costs = users.map(({ hash }) => hash.reveal().slice(4, 6)).sort();
  return `$2b$${costs.at(-1) ?? '10'}$${'.'.repeat(53)}`;
}
