// Stands for the operation of a request that no route matched: in metrics, in Sentry, wherever a name is needed.
export const UNMATCHED = '__unmatched__';
