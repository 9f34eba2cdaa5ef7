// Asks the sidecar's API as a program does, and holds every answer against the API's document.
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../sidecar/http/api/openapi-document';
import { ask, type HttpAnswer, type HttpQuestion } from './http-answer';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content: { 'application/json': { schema: object } } }>
  >;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: object };
}

export const DOCUMENT = openApiDocument('1.2.3') as unknown as ApiDocument;

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats(ajv);
const ID = 'https://gatewatch.example/openapi.json';
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: ID, components: DOCUMENT.components });

export interface ApiAnswer extends HttpAnswer {
  readonly json: unknown;
}

export class DocumentedApi {
  /** `getAlert 200`, and so on: what was answered so far. */
  readonly seen = new Set<string>();
  /** Every body so far. */
  readonly bodies: string[] = [];

  constructor(
    private readonly url: () => string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  get(path: string, question: HttpQuestion = {}): Promise<ApiAnswer> {
    return this.ask('GET', path, question);
  }

  post(path: string, document: unknown, question: HttpQuestion = {}): Promise<ApiAnswer> {
    return this.ask('POST', path, {
      body: JSON.stringify(document),
      ...question,
      headers: { 'content-type': 'application/json', ...question.headers },
    });
  }

  /** @throws unless it answers JSON as the document says */
  async ask(method: string, path: string, question: HttpQuestion = {}): Promise<ApiAnswer> {
    const headers = { ...this.headers, ...question.headers };
    const answer = await ask(`${this.url()}${path}`, { ...question, method, headers });
    this.bodies.push(answer.body);
    if (answer.headers['content-type'] !== 'application/json; charset=utf-8')
      throw new Error(`${method} ${path} answers ${String(answer.headers['content-type'])}: ${answer.body}`);
    if (answer.headers['cache-control'] !== 'no-store') throw new Error(`${method} ${path} may be stored`);
    const json: unknown = JSON.parse(answer.body);
    this.#check(method, path, answer.status, json);
    return { ...answer, json };
  }

  #check(method: string, path: string, status: number, json: unknown): void {
    const operation = operationOf(method, path);
    const told = operation?.responses[status];
    // An address or a method that the document does not have is refused in the form of every refusal.
    const isForeign = operation === undefined && [401, 403, 404, 405].includes(status);
    if (!told && !isForeign)
      throw new Error(`the document does not say that ${method} ${path} answers ${status}`);
    const schema = told?.content['application/json'].schema ?? { $ref: '#/components/schemas/Error' };
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', `"${ID}#/`)) as object;
    if (!ajv.validate(absolute, json))
      throw new Error(`${method} ${path} answers ${ajv.errorsText()}:\n${JSON.stringify(json)}`);
    if (operation) this.seen.add(`${operation.operationId} ${status}`);
  }
}

function operationOf(method: string, path: string): Operation | undefined {
  // Neither case nor a slash at the end makes another address.
  const asked = path.replace(/\?.*$/s, '').replace(/\/$/, '').toLowerCase();
  const paths = Object.keys(DOCUMENT.paths);
  const template =
    paths.find((one) => one === asked) ??
    paths.find((one) => new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(asked));
  return template === undefined ? undefined : DOCUMENT.paths[template]?.[method.toLowerCase()];
}
