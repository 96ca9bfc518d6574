/** Something wrong at a place of a template; offsets are into its source. */
export class TemplateFault extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = 'TemplateFault';
    this.offset = offset;
  }
}

/** A limit of the template language is reached: nothing after it is worth looking at. */
export class TemplateLimit extends TemplateFault {}
