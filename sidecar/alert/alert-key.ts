// What makes an alert the same alert over time: its rule's name and its service. Thresholds and severity may change.

/** One text for one alert. JSON, because a service may hold any character. */
export function alertKey(ruleName: string, service: string): string {
  return JSON.stringify([ruleName, service]);
}
