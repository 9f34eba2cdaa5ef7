// What the host's two processes tell each other.

/** The worker listens: the socket may be published. */
export const LISTENING = 'listening';

/** Another host has the path: no new connection can come. Finish those that are there, deliver everything, and leave. */
export const FINISH = 'finish';

/** In the worker's stdio. */
export const SOCKET_FD = 3;
