// The words of any letter, for those who look at what was not delivered: one line, and all of it as lines of plain text.
import { describeNotification, plainText } from './describe-notification';
import { labelsInBrackets, showName } from './describe-subject';
import { describeTime } from './describe-time';
import type { ChangeNotice, Letter } from './letter';

export interface DescribedLetter {
  readonly title: string;
  readonly text: string;
}

export function describeLetter(letter: Letter): DescribedLetter {
  if (letter.kind === 'change') return describeChange(letter);
  const described = describeNotification(letter);
  return { title: described.title, text: plainText(described) };
}

function describeChange({ instance, before, after, atMs, externalLabels }: ChangeNotice): DescribedLetter {
  const from = before === undefined ? '' : `from ${showName(before)} `;
  return {
    title: `The configuration of Kong at ${showName(instance)} has changed${labelsInBrackets(externalLabels)}`,
    text: `Its hash has changed ${from}to ${showName(after)}, as was seen at ${describeTime(atMs)}.`,
  };
}
