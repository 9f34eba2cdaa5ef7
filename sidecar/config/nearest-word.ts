// The known word that somebody most likely meant.

/** The word with the fewest edits, at most one for three letters of the longer; `undefined` where none is that near. */
export function nearestWord(text: string, words: readonly string[]): string | undefined {
  let nearest: { word: string; edits: number } | undefined;
  for (const word of words) {
    const edits = editsBetween(text, word);
    if (edits > Math.max(text.length, word.length) / 3) continue;
    if (nearest === undefined || edits < nearest.edits) nearest = { word, edits };
  }
  return nearest?.word;
}

/** Letters to insert, delete or replace (Levenshtein). */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
