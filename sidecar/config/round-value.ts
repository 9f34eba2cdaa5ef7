// What a division left beyond nine decimals is rounding, and must not decide at the very threshold: 1 - 0.9 is not 0.1.

const DECIMALS = 1e9;

export function roundValue(value: number): number {
  return Math.round(value * DECIMALS) / DECIMALS;
}
