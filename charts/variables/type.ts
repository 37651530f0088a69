/** What a variable's text may be. */
export class VariableType {
  /** A whole number, both bounds inclusive. */
  public static integer(this: void, min: number, max: number): VariableType {
    return new VariableType(
      `a whole number from ${min} to ${max}`,
      (text) => /^-?[0-9]{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max,
    );
  }

  /** A decimal number, both bounds inclusive. */
  public static number(this: void, min: number, max: number): VariableType {
    return new VariableType(
      `a number from ${min} to ${max}`,
      (text) => /^-?[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text) && Number(text) >= min && Number(text) <= max,
    );
  }

  /** `true` or `false`. */
  public static flag(this: void): VariableType {
    return VariableType.choice('true', 'false');
  }

  /** One of these, spelt like this. */
  public static choice(this: void, ...values: readonly string[]): VariableType {
    return new VariableType(`one of ${values.join(', ')}`, (text) => values.includes(text));
  }

  /** Text of a form. @param allowed the form in words, such as `a time zone such as UTC` */
  public static text(this: void, pattern: RegExp, allowed: string): VariableType {
    return new VariableType(allowed, (text) => pattern.test(text));
  }

  /** Any single line of some length. */
  public static line(this: void, min: number, max: number): VariableType {
    const bounds = min === max ? `${min}` : `${min} to ${max}`;
    return new VariableType(
      `a line of ${bounds} characters`,
      (text) => text.length >= min && text.length <= max && !/\p{Cc}/u.test(text),
    );
  }

  /** A list whose items are of a form, separated by commas; it may be empty. */
  public static list(this: void, pattern: RegExp, items: string): VariableType {
    return new VariableType(
      `${items}, separated by commas, or nothing`,
      (text) => text === '' || text.split(',').every((item) => pattern.test(item)),
    );
  }

  /** An absolute URL of one of these schemes. */
  public static url(this: void, ...schemes: readonly string[]): VariableType {
    return new VariableType(`a URL that begins with ${schemes.map((one) => `${one}://`).join(' or ')}`, (text) => {
      if (!URL.canParse(text)) return false;
      const { protocol, hostname } = new URL(text);
      return schemes.includes(protocol.slice(0, -1)) && hostname !== '';
    });
  }

  /** An absolute path without `..`. */
  public static path(this: void): VariableType {
    return new VariableType('an absolute path', (text) => /^(\/[\w.-]+)+$/.test(text) && !/\/\.\.?(\/|$)/.test(text));
  }

  private constructor(
    /** What is allowed, in words. */
    public readonly allowed: string,
    private readonly fits: (text: string) => boolean,
  ) {}

  /** What is wrong with a value, as the end of a sentence; nothing where it fits. */
  public problem(text: string): string | undefined {
    return this.fits(text) ? undefined : `must be ${this.allowed}`;
  }
}
