// The API in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), made of its routes and of the forms by which requests are read and
// answers are typed.
import { z } from 'zod';
import { ANSWER_SHAPES, type AnswerName } from './answer-shapes';
import { API_ROUTES, type ApiRoute } from './api-routes';
import { BODY_SHAPES, type BodyName } from './request-shapes';

type Json = Readonly<Record<string, unknown>>;

/** @param version the sidecar's */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [operationId, route] of Object.entries(API_ROUTES))
    (paths[route.path] ??= {})[route.method] = operationOf(operationId, route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatewatch',
      version,
      description:
        'Alerts, what happened to them, acknowledgements, silences and dead letters. Reading takes the bearer token, or what the web ' +
        'configuration asks for; writing takes the bearer token. Where no token is configured, which is on loopback and ' +
        'unix sockets only, none is asked for.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { ...answerSchemas(), ...bodySchemas() },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: "The token of the sidecar's configuration" },
        password: { type: 'http', scheme: 'basic', description: 'A user of the web configuration' },
        certificate: { type: 'mutualTLS', description: 'Where the web configuration asks for one' },
      },
    },
  };
}

const READING = [{ bearer: [] }, { password: [] }, { certificate: [] }, {}];
const WRITING = [{ bearer: [] }, {}];

function operationOf(operationId: string, route: ApiRoute): Json {
  const { method, path, summary, query, body, answer, refuses } = route;
  const isRead = method === 'get';
  const responses: Record<string, Json> = {
    200: {
      description: 'As asked',
      ...content(answer === undefined ? { type: 'object' } : reference(answer)),
    },
    400: refusal('The query, or the JSON of the body, is wrong'),
    401: refusal('A token or a password is missing or wrong'),
    403: refusal('A client certificate is missing, or a page of another site asks'),
    ...(isRead ? { 429: refusal('Too many passwords are being checked') } : {}),
    ...(body === undefined
      ? {}
      : {
          413: refusal('The body is larger than 64 kB'),
          415: refusal('The body is not application/json, or compressed'),
          422: refusal('Fields of the body are wrong; each is named'),
        }),
    ...Object.fromEntries(Object.entries(refuses).map(([status, why]) => [status, refusal(why)])),
  };
  return {
    operationId,
    summary,
    security: isRead ? READING : WRITING,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body === undefined ? {} : { requestBody: { required: true, ...content(reference(body)) } }),
    responses,
  };
}

function refusal(description: string): Json {
  return { description, ...content(reference('Error')) };
}

function content(schema: Json): Json {
  return { content: { 'application/json': { schema } } };
}

function reference(name: AnswerName | BodyName): Json {
  return { $ref: uriOf(name) };
}

function uriOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: ApiRoute['query']): Json[] {
  const { properties = {}, required = [] } = inputSchema(query);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = typeof property === 'object' ? property : {};
    return {
      name,
      in: 'query',
      ...(description === undefined ? {} : { description }),
      ...(required.includes(name) ? { required: true } : {}),
      schema,
    };
  });
}

function bodySchemas(): Json {
  return Object.fromEntries(Object.entries(BODY_SHAPES).map(([name, shape]) => [name, inputSchema(shape)]));
}

function inputSchema(shape: z.ZodType): z.core.JSONSchema.BaseSchema {
  return withoutNames(z.toJSONSchema(shape, { io: 'input', override: withoutPattern }));
}

function answerSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, shape] of Object.entries(ANSWER_SHAPES)) registry.add(shape, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: uriOf, override: withoutPattern });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutNames(schema)]));
}

/** Within a document a schema is named by its place. */
function withoutNames(schema: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}

/** zod's own for moments has 300 characters, and says what the format says. */
function withoutPattern({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}
