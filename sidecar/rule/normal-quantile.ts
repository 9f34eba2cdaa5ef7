// In: a probability. Out: what a standard normal variable is at most with it: 0.975 -> 1.959964.
// M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988) 477,
// routine PPND16: three ratios of polynomials, right to about 1 part in 10^16.

/** A ratio of two polynomials; the coefficients of each from the highest power down to the constant. */
interface Ratio {
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** Up to so far from 1/2. */
const CENTRE_HALF_WIDTH = 0.425;

const CENTRE: Ratio = {
  above: [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665,
  ],
  below: [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1,
  ],
};

/** Up to here sqrt(-ln(the smaller tail)) is in the nearer tail. */
const NEAR_TAIL_END = 5;

const NEAR_TAIL: Ratio = {
  above: [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  below: [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
};

const FAR_TAIL: Ratio = {
  above: [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  below: [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
  ],
};

/** @param probability over 0 and under 1; 0 and 1 themselves give minus and plus infinity */
export function normalQuantile(probability: number): number {
  const fromHalf = probability - 0.5;
  if (Math.abs(fromHalf) <= CENTRE_HALF_WIDTH)
    return fromHalf * valueOf(CENTRE, CENTRE_HALF_WIDTH ** 2 - fromHalf ** 2);
  const tail = Math.min(probability, 1 - probability);
  if (tail <= 0) return fromHalf < 0 ? -Infinity : Infinity;
  const depth = Math.sqrt(-Math.log(tail));
  const distance =
    depth <= NEAR_TAIL_END ? valueOf(NEAR_TAIL, depth - 1.6) : valueOf(FAR_TAIL, depth - NEAR_TAIL_END);
  return fromHalf < 0 ? -distance : distance;
}

function valueOf({ above, below }: Ratio, at: number): number {
  return polynomial(above, at) / polynomial(below, at);
}

function polynomial(coefficients: readonly number[], at: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * at + coefficient;
  return value;
}
