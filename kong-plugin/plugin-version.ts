// The version that Kong is told, and that Sentry gets as the standard release. A test holds it to that of package.json.
export const PLUGIN_VERSION = '0.1.0';
