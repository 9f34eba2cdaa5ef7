// Matchers as people write them (`service="checkout"`, `severity=~"info|warning"`), and whether they match an alert.
// The form is Alertmanager's classic one: the value may stand without quotes, and \" \\ and \n mean a quote, a backslash and a
// line break. Expressions are anchored and in RE2's syntax, as in Prometheus. They come from operators and over the API, and
// JavaScript's own engine can take exponential time for some; re2js takes time linear in text times size of the expression, and
// the size is bounded here. It is plain JavaScript: no native build, no script at installation.
import { RE2JS } from 're2js';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import {
  ALERT_LABELS,
  type AlertLabel,
  type AlertLabels,
  type Matcher,
  type Matchers,
} from './notification-policy';
import { AnswerMemory, type TextTest } from './answer-memory';
import { plainBeginning } from './plain-beginning';
import { KONG_LEVELS, WINDOW_LEVELS } from './rule';
import { KINDS } from './rule-shape';

/** In characters; longer names of Kong's than this are not matched one by one. */
const LONGEST_VALUE = 1_000;
const LONGEST_EXPRESSION = 500;
/** In instructions of the compiled expression: `(((a?){1,9}){1,9}){1,9}` has 3,827, and takes 260 ms for 200 characters. */
const LARGEST_PROGRAM = 1_000;

/** Every character of the longest value may be an escaped one. */
const LONGEST_MATCHER = 2 * LONGEST_VALUE + 100;

export interface MatcherFault {
  readonly expected: string;
  readonly found: string;
}

/** Of a text without spaces around it. Each part begins with what the one before it cannot hold, so it takes linear time. */
const FORM = /^([^\s=!~"]+)\s*(=~|!=|!~|=)\s*(.*)$/su;
const FORM_ERROR = 'a matcher such as service="checkout" or severity=~"info|warning"';
const LABEL_ERROR = `a matcher of one of ${ALERT_LABELS.join(', ')}`;

/** What a person wrote, checked. */
export function parseMatcher(text: string): Matcher | MatcherFault {
  const found = JSON.stringify(text.slice(0, LONGEST_VALUE));
  // Before anything that looks at every character.
  if (text.length > LONGEST_MATCHER)
    return { expected: `a matcher of at most ${LONGEST_MATCHER} characters`, found };
  const [, name, operator, written] = FORM.exec(text.trim()) ?? [];
  if (name === undefined || operator === undefined || written === undefined)
    return { expected: FORM_ERROR, found };
  const label = ALERT_LABELS.find((known) => known === name);
  if (label === undefined) return { expected: LABEL_ERROR, found };
  const value = unquote(written);
  if (value === undefined) return { expected: 'a value in one pair of double quotes', found };
  const matcher: Matcher = { label, operator: operator as Matcher['operator'], value };
  return matcherFault(matcher) ?? matcher;
}

/** What is wrong with a matcher from elsewhere; `undefined` where it can be used. */
export function matcherFault(matcher: Matcher): MatcherFault | undefined {
  const { label, operator, value } = matcher;
  const found = JSON.stringify(value.slice(0, LONGEST_VALUE));
  const values = CLOSED[label];
  if (values !== undefined && !isExpression(operator) && !values.includes(value))
    return { expected: `one of ${values.join(', ')}`, found };
  if (value.length > LONGEST_VALUE)
    return { expected: `a value of at most ${LONGEST_VALUE} characters`, found };
  if (!isExpression(operator)) return undefined;
  if (value.length > LONGEST_EXPRESSION)
    return { expected: `a regular expression of at most ${LONGEST_EXPRESSION} characters`, found };
  try {
    if (compile(value).programSize() <= LARGEST_PROGRAM) return undefined;
    return { expected: 'a regular expression that repeats less', found };
  } catch (error) {
    const why = error instanceof Error ? ` (${error.message})` : '';
    return { expected: `a regular expression in RE2's syntax${why}`, found };
  }
}

/** In quotes always; `parseMatcher` gives the same matcher back. */
export function renderMatcher({ label, operator, value }: Matcher): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `${label}${operator}"${escaped}"`;
}

/** Whether all of them match. */
export function matchesAll(matchers: Matchers, labels: AlertLabels): boolean {
  for (const matcher of matchers) if (!matches(matcher, labels)) return false;
  return true;
}

/** One that `matcherFault` has a word about matches nothing. */
export function matches(matcher: Matcher, labels: AlertLabels): boolean {
  const value = labels[matcher.label];
  switch (matcher.operator) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    default:
      return testOf(matcher)(value);
  }
}

/** Matcher -> its expression, compiled once for as long as somebody has the matcher. */
const tests = new WeakMap<Matcher, TextTest>();

/** Of all matchers together. */
const memory = new AnswerMemory();

function testOf(matcher: Matcher): TextTest {
  const known = tests.get(matcher);
  if (known) return known;
  const test = expressionTest(matcher);
  tests.set(matcher, test);
  return test;
}

function expressionTest(matcher: Matcher): TextTest {
  if (matcherFault(matcher)) return () => false;
  const expression = compile(matcher.value);
  const beginning = plainBeginning(matcher.value);
  const isWanted = matcher.operator === '=~';
  const holds = memory.remembering((value) => expression.matches(value) === isWanted);
  return (value) => (value.startsWith(beginning) ? holds(value) : !isWanted);
}

/** The labels whose every value is known. None of them, nor `rule`, is ever empty. */
const CLOSED: Readonly<Partial<Record<AlertLabel, readonly string[]>>> = {
  kind: [...new Set(Object.values(KINDS))],
  level: [...WINDOW_LEVELS, ...KONG_LEVELS],
  severity: SEVERITIES,
};

/** Texts that have nothing in common: what matches all of them matches anything. */
const PROBES = ['q', '7', 'GET /', 'a-much-longer.name_1', 'ÜÑ', '-'];

/**
 * Whether a matcher picks alerts out. One that holds for everything does not, and neither does a negative one of a label that
 * may have any value: it holds for everything but a few.
 */
export function isSelective(matcher: Matcher): boolean {
  const values = CLOSED[matcher.label];
  if (values === undefined && (matcher.operator === '!=' || matcher.operator === '!~')) {
    // `service!=""` is every alert that has one.
    return matcher.label !== 'rule' && matcher.value === '';
  }
  const probes = values ?? (matcher.label === 'rule' ? PROBES : ['', ...PROBES]);
  return !probes.every((value) => matches(matcher, labelledWith(matcher.label, value)));
}

function labelledWith(label: AlertLabel, value: string): AlertLabels {
  return { ...NO_LABELS, [label]: value };
}

const NO_LABELS = Object.fromEntries(ALERT_LABELS.map((label) => [label, ''])) as AlertLabels;

function isExpression(operator: Matcher['operator']): boolean {
  return operator === '=~' || operator === '!~';
}

/** `.` is any character, as in Alertmanager's own. */
function compile(expression: string): RE2JS {
  return RE2JS.compile(expression, RE2JS.DOTALL);
}

/** `undefined` where quotes do not stand around the whole. */
function unquote(written: string): string | undefined {
  const isQuoted = written.startsWith('"');
  const inner = isQuoted ? /^"((?:[^"\\]|\\.)*)"$/su.exec(written)?.[1] : written;
  if (inner === undefined || !/^(?:[^"\\]|\\.)*\\?$/su.test(inner)) return undefined;
  // A backslash before any other character stands for itself, as expressions need it.
  return inner.replace(/\\(["\\n])/gu, (_, character) => (character === 'n' ? '\n' : String(character)));
}
