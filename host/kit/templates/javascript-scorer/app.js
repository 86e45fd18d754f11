// The scorer {name}: an answer is right when it contains the reference as a word of its own.

class Task {
  constructor(ignoreCase) {
    this.ignoreCase = ignoreCase;
  }

  static create(config) {
    try {
      return new Task(JSON.parse(config)["ignore-case"] ?? true);
    } catch (error) {
      // A thrown value is the error of the result.
      throw { code: "bad-config", message: String(error), hint: undefined };
    }
  }

  score(samples) {
    return samples.map((sample) => this.verdict(sample));
  }

  questions(_sample) {
    return [];
  }

  conclude(sample, _opinions) {
    return this.verdict(sample);
  }

  aggregate(graded) {
    const values = graded.map((one) => one.verdict.value).filter(Number.isFinite);
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return [
      {
        metric: { name: "accuracy", value: mean, unit: "ratio", higherIsBetter: true },
        group: undefined,
        standardError: count > 1 ? Math.sqrt(squares / (count - 1) / count) : undefined,
        low: undefined,
        high: undefined,
        level: undefined,
        method: undefined,
        scored: count,
        unscored: graded.length - count,
      },
    ];
  }

  verdict(sample) {
    const { id, epoch } = sample;
    const answer = sample.answer ?? "";
    const rest = { explanation: undefined, subScores: [] };
    const wanted = JSON.parse(sample.target);
    if (typeof wanted !== "string") {
      // A reference that is no text is the task's fault, so the sample is unscored and not wrong.
      const problem = { code: "bad-target", message: `the reference of ${id} is not a text`, hint: undefined };
      return { id, epoch, value: NaN, reason: { tag: "grader-failed", val: problem }, extracted: undefined, ...rest };
    }
    const fold = (text) => (this.ignoreCase ? text.toLowerCase() : text);
    // The engine in a component knows no classes of Unicode properties, so words are what ASCII punctuation and space separate.
    const words = fold(answer).split(/[\s!-/:-@[-`{-~]+/);
    let [value, tag] = [0, "wrong"];
    if (words.includes(fold(wanted))) {
      [value, tag] = [1, "correct"];
    } else if (answer.trim() === "") {
      tag = "no-response";
    }
    return { id, epoch, value, reason: { tag }, extracted: sample.answer, ...rest };
  }
}

export const scorer = {
  describe() {
    return {
      name: "{name}",
      version: "0.1.0",
      summary: "The answer contains the reference as a word.",
      reference: "",
      configSchema: '{"type":"object","properties":{"ignore-case":{"type":"boolean","default":true}}}',
      metrics: [
        { name: "accuracy", summary: "Share of the answers that are right.", unit: "ratio", higherIsBetter: true },
      ],
      deterministic: true,
      unbounded: false,
      freshInstance: false,
      needsJudge: false,
      needsLikelihoods: false,
    };
  },
  Task,
};
