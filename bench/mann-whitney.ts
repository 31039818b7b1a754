/**
 * The judge of Kayenta on one metric of which a rise is bad: its `NetflixACAJudge` classifies it as High when the 98 % confidence
 * interval of how far the new one's minutes are above the old one's, by ranks, lies above a quarter of the estimate.
 *
 * As in github.com/spinnaker/spinnaker at a445dab1 (2018) and after, below
 * `kayenta-judge/src/main/scala/com/netflix/kayenta/judge/`: `NetflixACAJudge.scala` (confidence, tolerance),
 * `classifiers/metric/MannWhitneyClassifier.scala` (what is High), and
 * `kayenta-mannwhitney/src/main/scala/com/netflix/kayenta/mannwhitney/MannWhitney.scala` (interval and estimate). Outliers stay in, its
 * default since https://github.com/spinnaker/kayenta/pull/621; allowed increases are at their default, none.
 *
 * Kayenta finds the interval's ends and the estimate with a root finder that stops within 0.0001, here they are exact. They differ where
 * both are 0, with many ties: there that error decides, and here it is not High. Below five minutes an interval of 98 % does not
 * exist; Kayenta then takes the whole range, and calls it High when all of the new one's minutes are above. Here it is not.
 */

/** 99 % of a normal distribution: 98 % lie between both ends. */
const quantile = 2.3263;
const tolerance = 0.25;

export class MannWhitneyJudge {
  readonly #fresh: Ordered;
  readonly #old: Ordered;
  /** Pairs of which the new one's value is above the old one's. */
  #above = 0;

  constructor(minutes: number) {
    this.#fresh = new Ordered(minutes);
    this.#old = new Ordered(minutes);
  }

  /** A minute of the new one. */
  addFresh(value: number): void {
    this.#above += this.#old.countBelow(value);
    this.#fresh.insert(value);
  }

  addOld(value: number): void {
    this.#above += this.#fresh.size - this.#fresh.countTo(value);
    this.#old.insert(value);
  }

  isHigh(): boolean {
    const leastAbove = this.#leastAbove();
    // The interval's lower end is above a shift of which more than that many differences are.
    if (this.#above <= leastAbove) return false;
    // The default of the allowed increase is a ratio of the means of 1.
    if (this.#fresh.mean < this.#old.mean) return false;
    return this.#differencesAbove(tolerance * this.#estimate()) > leastAbove;
  }

  /** With R's correction for continuity, and its variance for ties. */
  #leastAbove(): number {
    const [fresh, old] = [this.#fresh.size, this.#old.size];
    const both = fresh + old;
    // Two constants get a little noise, and so no ties.
    const isConstant = this.#fresh.isConstant && this.#old.isConstant;
    const ties = isConstant ? 0 : this.#fresh.ties + this.#old.ties;
    const variance = ((fresh * old) / 12) * (both + 1 - ties / (both * (both - 1)));
    return (fresh * old) / 2 + 0.5 + quantile * Math.sqrt(variance);
  }

  /** Of Hodges and Lehmann: half of all differences are above. */
  #estimate(): number {
    const half = (this.#fresh.size * this.#old.size) / 2;
    let [low, high] = [0, this.#fresh.most - this.#old.least];
    while (high - low > 1e-9) {
      const middle = (low + high) / 2;
      if (this.#differencesAbove(middle) > half) low = middle;
      else high = middle;
    }
    return high;
  }

  #differencesAbove(shift: number): number {
    let count = 0;
    let below = 0;
    for (let index = 0; index < this.#fresh.size; index++) {
      const limit = this.#fresh.at(index) - shift;
      while (below < this.#old.size && this.#old.at(below) < limit) below += 1;
      count += below;
    }
    return count;
  }
}

/** Values in order. */
class Ordered {
  readonly #values: Float64Array;
  #size = 0;
  #sum = 0;
  /** The sum of t³ - t over each value's number of occurrences t. */
  #ties = 0;

  constructor(most: number) {
    this.#values = new Float64Array(most);
  }

  get size(): number {
    return this.#size;
  }

  get ties(): number {
    return this.#ties;
  }

  get mean(): number {
    return this.#sum / this.#size;
  }

  get least(): number {
    return this.at(0);
  }

  get most(): number {
    return this.at(this.#size - 1);
  }

  get isConstant(): boolean {
    return this.least === this.most;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  countBelow(value: number): number {
    return this.#count((each) => each < value);
  }

  /** Below, or the same. */
  countTo(value: number): number {
    return this.#count((each) => each <= value);
  }

  insert(value: number): void {
    const to = this.countTo(value);
    const same = to - this.countBelow(value);
    this.#ties += 3 * same * (same + 1);
    this.#values.copyWithin(to + 1, to, this.#size);
    this.#values[to] = value;
    this.#size += 1;
    this.#sum += value;
  }

  #count(isBelow: (value: number) => boolean): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBelow(this.at(middle))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
