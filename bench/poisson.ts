/**
 * A Poisson variate, by W. Hörmann's transformed rejection with squeeze, "The transformed rejection method for generating Poisson
 * random variables", Insurance: Mathematics and Economics 12 (1993), https://doi.org/10.1016/0167-6687(93)90997-4; below a mean
 * of 10 by inversion.
 */
export function poisson(mean: number, random: () => number): number {
  return mean < 10 ? inverted(mean, random()) : rejected(mean, random);
}

function inverted(mean: number, chance: number): number {
  let probability = Math.exp(-mean);
  let rest = chance - probability;
  let count = 0;
  while (rest > 0 && probability > 0) {
    count += 1;
    probability *= mean / count;
    rest -= probability;
  }
  return count;
}

/** Constants of the algorithm PTRS. */
function rejected(mean: number, random: () => number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  const logMean = Math.log(mean);
  const logScale = Math.log(1.1239 + 1.1328 / (b - 3.4));
  for (;;) {
    const side = random() - 0.5;
    const height = random();
    const edge = 0.5 - Math.abs(side);
    const count = Math.floor(((2 * a) / edge + b) * side + mean + 0.43);
    if (edge >= 0.07 && height <= squeeze) return count;
    if (count < 0 || (edge < 0.013 && height > edge)) continue;
    const proposed = Math.log(height) + logScale - Math.log(a / edge ** 2 + b);
    if (proposed <= count * logMean - mean - logFactorial(count)) return count;
  }
}

const logFactorials = [0];
for (let count = 1; count < 256; count++) logFactorials.push(logFactorials[count - 1]! + Math.log(count));

/** Above the table by Stirling's series, to 1e-12. */
function logFactorial(count: number): number {
  if (count < logFactorials.length) return logFactorials[count]!;
  return (
    (count + 0.5) * Math.log(count) -
    count +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * count) -
    1 / (360 * count ** 3)
  );
}
