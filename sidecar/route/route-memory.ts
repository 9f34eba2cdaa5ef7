// The state of routing as plain data, for the disk, and back. Parts that cannot be read are left out and counted.
import { z } from 'zod';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import type { Alert } from '../alert/alert';
import { END_REASONS } from '../alert/alert-change';
import { decodeAlert, encodeAlerts } from '../alert/alert-memory';
import type { Rule } from '../config/rule';
import { OCCASIONS } from './message';
import type {
  ChannelState,
  End,
  Gathered,
  GroupTimes,
  Knowledge,
  Note,
  RouteState,
  Run,
  Told,
  Underway,
} from './route-state';

export function writeRouteState({ channels, runs, ends, nextMessage }: RouteState): unknown {
  return {
    channels: [...channels].map(([name, { notes, groups, gathered, leftOut, underway }]) => ({
      name,
      notes: [...notes].map(([key, note]) => ({ key, ...note })),
      groups: [...groups].map(([key, times]) => ({ key, ...times })),
      gathered: gathered.map(({ item, ...entry }) => ({
        ...entry,
        item: { ...item, alert: writeAlert(item.alert) },
      })),
      leftOut,
      underway: [...underway].map(([id, message]) => ({ id, ...message })),
    })),
    runs: [...runs].map(([key, { alert, ...run }]) => ({ key, alert: writeAlert(alert), ...run })),
    ends: [...ends].map(([key, { alert, endReason, atMs }]) => ({
      key,
      alert: writeAlert(alert),
      endReason,
      atMs,
    })),
    nextMessage,
  };
}

/** One that fired is always kept. */
function writeAlert(alert: Alert): unknown {
  return encodeAlerts([alert])[0];
}

export interface RememberedRoute {
  readonly state: RouteState;
  /** How many parts could not be read. */
  readonly unreadable: number;
}

/**
 * @param rules of the configuration as it is now
 * @param nowMs Unix ms; where the system's clock was set back meanwhile, what was told later than this was told now
 */
export function readRouteState(plain: unknown, rules: readonly Rule[], nowMs: number): RememberedRoute {
  const reader = new Reader(rules, nowMs);
  const whole = reader.one(wholeShape, plain);
  const state: RouteState = {
    channels: new Map(
      reader.each(channelShape, whole?.channels, ({ name, ...parts }) => [name, reader.channel(parts)]),
    ),
    runs: new Map(reader.each(runShape, whole?.runs, (run) => reader.run(run))),
    ends: new Map(reader.each(endShape, whole?.ends, (end) => reader.end(end))),
    nextMessage: whole?.nextMessage ?? 1,
  };
  return { state, unreadable: reader.unreadable };
}

const ms = z.number();
const count = z.int().min(0);
const key = z.string();
const list = z.array(z.unknown()).catch([]);

const wholeShape = z.object({ channels: list, runs: list, ends: list, nextMessage: z.int().min(1).catch(1) });

const knowledgeShape = z.object({
  severity: z.enum(SEVERITIES),
  worst: z.enum(SEVERITIES),
  startedMs: ms,
  acknowledgedMs: ms.nullish(),
  timeMs: ms,
});

const channelShape = z.object({
  name: z.string(),
  notes: list,
  groups: list,
  gathered: list,
  leftOut: count.catch(0),
  underway: list,
});

const noteShape = z.object({
  key,
  sent: knowledgeShape.nullish(),
  gathered: z.object({ knows: knowledgeShape.nullish() }).nullish(),
  failed: z.object({ knows: knowledgeShape.nullish(), untilMs: ms }).nullish(),
});

const underwayShape = z.object({
  id: z.string(),
  sentMs: ms,
  told: z.array(z.object({ key, knew: knowledgeShape.nullish(), knows: knowledgeShape.nullish() })),
  leftOut: count,
});

const groupShape = z.object({
  key,
  pendingMs: ms.nullish(),
  newsMs: ms.nullish(),
  sentMs: ms.nullish(),
  repeats: count,
  repeatedMs: z.array(ms),
});

const endReason = z.enum(END_REASONS);

const gatheredShape = z.object({
  key,
  item: z.object({
    alert: z.unknown(),
    occasion: z.enum(OCCASIONS),
    atMs: ms,
    endReason: endReason.nullish(),
  }),
  gatheredMs: ms,
  after: knowledgeShape.nullish(),
});

const runShape = z.object({
  key,
  alert: z.unknown(),
  startedMs: ms,
  escalation: z.object({ fromMs: ms, leftMs: z.partialRecord(z.enum(SEVERITIES), ms) }),
  mutedSinceMs: ms.nullish(),
  hidden: z
    .object({ by: key, severity: z.enum(SEVERITIES), isOver: z.boolean(), sinceMs: ms, lingerMs: ms })
    .nullish(),
});
const endShape = z.object({ key, alert: z.unknown(), endReason, atMs: ms });

class Reader {
  unreadable = 0;
  readonly #rules: readonly Rule[];
  readonly #nowMs: number;

  constructor(rules: readonly Rule[], nowMs: number) {
    this.#rules = rules;
    this.#nowMs = nowMs;
  }

  one<Shape extends z.ZodType>(shape: Shape, plain: unknown): z.infer<Shape> | undefined {
    const { data } = shape.safeParse(plain);
    if (data === undefined) this.unreadable += 1;
    return data;
  }

  /** @param take gives nothing for what holds an alert that cannot be read */
  each<Shape extends z.ZodType, Part>(
    shape: Shape,
    plain: readonly unknown[] | undefined,
    take: (part: z.infer<Shape>) => Part | undefined,
  ): Part[] {
    const parts: Part[] = [];
    for (const entry of plain ?? []) {
      const read = this.one(shape, entry);
      const part = read === undefined ? undefined : take(read);
      if (part !== undefined) parts.push(part);
    }
    return parts;
  }

  channel({
    notes,
    groups,
    gathered,
    leftOut,
    underway,
  }: Omit<z.infer<typeof channelShape>, 'name'>): ChannelState {
    return {
      notes: new Map(this.each(noteShape, notes, (note) => this.note(note))),
      groups: new Map(this.each(groupShape, groups, (times) => this.times(times))),
      gathered: this.each(gatheredShape, gathered, (entry) => this.gathered(entry)),
      leftOut,
      underway: new Map(this.each(underwayShape, underway, (message) => this.underway(message))),
    };
  }

  note(note: z.infer<typeof noteShape>): [string, Note] {
    const gathered = note.gathered && { knows: knowledgeOf(note.gathered.knows) };
    const failed = note.failed && { knows: knowledgeOf(note.failed.knows), untilMs: note.failed.untilMs };
    return [
      note.key,
      { sent: knowledgeOf(note.sent), gathered: gathered ?? undefined, failed: failed ?? undefined },
    ];
  }

  underway({ id, sentMs, told, leftOut }: z.infer<typeof underwayShape>): [string, Underway] {
    const known = told.map((one): Told => ({
      key: one.key,
      knew: knowledgeOf(one.knew),
      knows: knowledgeOf(one.knows),
    }));
    return [id, { sentMs: this.#past(sentMs), told: known, leftOut }];
  }

  times(times: z.infer<typeof groupShape>): [string, GroupTimes] {
    return [
      times.key,
      {
        pendingMs: this.#pastOrNever(times.pendingMs),
        newsMs: this.#pastOrNever(times.newsMs),
        sentMs: this.#pastOrNever(times.sentMs),
        repeats: times.repeats,
        repeatedMs: times.repeatedMs.map((timeMs) => this.#past(timeMs)),
      },
    ];
  }

  gathered({ item, gatheredMs, after, ...entry }: z.infer<typeof gatheredShape>): Gathered | undefined {
    const alert = this.#alert(item.alert);
    if (!alert) return undefined;
    return {
      key: entry.key,
      item: { alert, occasion: item.occasion, atMs: item.atMs, endReason: item.endReason ?? undefined },
      gatheredMs: this.#past(gatheredMs),
      after: knowledgeOf(after),
    };
  }

  run(run: z.infer<typeof runShape>): [string, Run] | undefined {
    const alert = this.#alert(run.alert);
    if (!alert) return undefined;
    const { startedMs, escalation, mutedSinceMs, hidden } = run;
    return [
      run.key,
      {
        alert,
        startedMs,
        escalation: { ...escalation, fromMs: this.#past(escalation.fromMs) },
        mutedSinceMs: this.#pastOrNever(mutedSinceMs),
        hidden: hidden ?? undefined,
      },
    ];
  }

  end(end: z.infer<typeof endShape>): [string, End] | undefined {
    const alert = this.#alert(end.alert);
    return alert && [end.key, { alert, endReason: end.endReason, atMs: end.atMs }];
  }

  #alert(plain: unknown): Alert | undefined {
    const alert = decodeAlert(plain, this.#rules);
    if (!alert) this.unreadable += 1;
    return alert;
  }

  #past(timeMs: number): number {
    return Math.min(timeMs, this.#nowMs);
  }

  #pastOrNever(timeMs: number | null | undefined): number | undefined {
    return timeMs === null || timeMs === undefined ? undefined : this.#past(timeMs);
  }
}

function knowledgeOf(plain: z.infer<typeof knowledgeShape> | null | undefined): Knowledge | undefined {
  return plain ? { ...plain, acknowledgedMs: plain.acknowledgedMs ?? undefined } : undefined;
}
