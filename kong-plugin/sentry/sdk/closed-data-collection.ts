// Of the SDK's own collecting, nothing: for the plugin server and for the sidecar.
import type { DataCollection } from '@sentry/core';

/** Each field is named, so that one that a later SDK adds is missed by the compiler and not by us. */
export const CLOSED_DATA_COLLECTION = {
  userInfo: false,
  cookies: false,
  httpHeaders: { request: false, response: false },
  httpBodies: [],
  urlQueryParams: false,
  graphQL: { document: false, variables: false },
  genAI: { inputs: false, outputs: false },
  databaseQueryData: false,
  queues: false,
  stackFrameVariables: false,
  frameContextLines: 0,
} satisfies Required<DataCollection>;
