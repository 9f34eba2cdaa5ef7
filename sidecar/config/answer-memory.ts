// Which texts pass which tests, remembered: the same few thousand are asked about in every round, and a test is dear. A byte for each
// text and test; the texts are kept once for all tests. Where there are more than have room the others are tested every time, so that
// a few too many cost a little, and not everything.

/** As many services and operations as a large gateway has alerts of. */
const MOST_TEXTS = 20_000;

const [UNKNOWN, PASSES, FAILS] = [0, 1, 2];

export type TextTest = (text: string) => boolean;

export class AnswerMemory {
  readonly #mostTexts: number;
  /** Text -> where its answer stands among those of each test. Another map once it is of the wrong texts. */
  #places = new Map<string, number>();
  #remembered = 0;
  #inVain = 0;

  constructor(mostTexts = MOST_TEXTS) {
    this.#mostTexts = mostTexts;
  }

  /** The same test, asked once for each text that has room. @param test depends on nothing but the text */
  remembering(test: TextTest): TextTest {
    let places = this.#places;
    let answers = new Uint8Array(0);
    return (text) => {
      const place = this.#placeOf(text);
      if (place === undefined) return test(text);
      if (places !== this.#places) [places, answers] = [this.#places, new Uint8Array(0)];
      const known = answers[place] ?? UNKNOWN;
      if (known !== UNKNOWN) return known === PASSES;
      const passes = test(text);
      if (place >= answers.length) answers = grown(answers, place);
      answers[place] = passes ? PASSES : FAILS;
      this.#remembered += 1;
      return passes;
    };
  }

  #placeOf(text: string): number | undefined {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    if (this.#places.size >= this.#mostTexts && !this.#isRenewed()) return undefined;
    const place = this.#places.size;
    this.#places.set(text, place);
    return place;
  }

  /** Texts that are gone must not keep the room for ever: a new beginning costs no more than what was asked in vain before it. */
  #isRenewed(): boolean {
    this.#inVain += 1;
    if (this.#inVain <= this.#remembered) return false;
    this.#places = new Map();
    this.#remembered = 0;
    this.#inVain = 0;
    return true;
  }
}

function grown(answers: Uint8Array<ArrayBuffer>, place: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(16, 2 * place));
  larger.set(answers);
  return larger;
}
