// gatewatch ack: somebody knows of these alerts.
import { readFileSync } from 'node:fs';
import { acknowledgedShape } from '../http/api/answer-shapes';
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  EXIT,
  UsageFault,
  defaultBy,
  readFlags,
  type Command,
} from './command';
import { readConnection } from './connection';
import { RefusedBySidecar, SidecarClient, inFlags } from './sidecar-client';
import { plainLine } from './terminal-text';

export const ACK_USAGE = `Usage: gatewatch ack ID... [flags]

Says that somebody knows of an alert: it is neither repeated nor escalated any more. An id is in every
message, and in what \`gatewatch alerts\` shows.

  --comment TEXT      what they do about it
  --by NAME           who it is (this user at this host)
${CONNECTION_HELP}`;

const FLAGS = {
  ...CONNECTION_FLAGS,
  comment: { type: 'string' },
  by: { type: 'string' },
} as const;

/** All ids are told, whatever becomes of those before. */
export const ackCommand: Command = async (args, { env, out, err }) => {
  const { values, positionals } = readFlags(args, FLAGS);
  if (values.help) {
    out(ACK_USAGE);
    return EXIT.ok;
  }
  if (positionals.length === 0) throw new UsageFault('expected the id of an alert');
  const client = new SidecarClient(readConnection(values, env, (path) => readFileSync(path, 'utf8')));
  const { comment, by = defaultBy(env), json } = values;
  const answers: unknown[] = [];
  let failed = false;
  try {
    for (const id of new Set(positionals)) {
      try {
        const { document, raw } = await client.ask(acknowledgedShape, {
          method: 'POST',
          path: `/api/v1/alerts/${encodeURIComponent(id)}/acknowledge`,
          body: { by, ...(comment === undefined ? {} : { comment }) },
        });
        answers.push(raw);
        if (!json) out(`acknowledged ${id}: ${plainLine(document.alert.title)}\n`);
      } catch (error) {
        const fault = inFlags(error, { by: '--by', comment: '--comment' });
        // What is wrong with one id says nothing of the next; anything else does.
        if (!(fault instanceof RefusedBySidecar) || ![404, 409].includes(fault.status)) throw fault;
        err(`gatewatch: ${plainLine(fault.message)}\n`);
        failed = true;
      }
    }
  } finally {
    await client.close();
  }
  if (json) out(`${JSON.stringify(answers, undefined, 2)}\n`);
  return failed ? EXIT.failed : EXIT.ok;
};
