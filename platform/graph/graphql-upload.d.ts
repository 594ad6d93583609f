// The package documents its types in comments only. These are the parts that we use.

declare module 'graphql-upload/GraphQLUpload.mjs' {
  import type { GraphQLScalarType } from 'graphql';

  const GraphQLUpload: GraphQLScalarType;
  export default GraphQLUpload;
}

declare module 'graphql-upload/Upload.mjs' {
  import type { FileUpload } from 'graphql-upload/processRequest.mjs';

  /** Stands in the variables for a file that is still to come. */
  export default class Upload {
    promise: Promise<FileUpload>;
  }
}

declare module 'graphql-upload/processRequest.mjs' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Readable } from 'node:stream';

  export interface FileUpload {
    filename: string;
    mimetype: string;
    encoding: string;
    createReadStream(): Readable;
  }

  export interface Limits {
    maxFieldSize?: number;
    maxFileSize?: number;
    maxFiles?: number;
  }

  /** Resolves to the operations, as soon as they have come; files go on coming in after that. */
  export default function processRequest(
    request: Readable & Pick<IncomingMessage, 'headers'>,
    response: ServerResponse,
    limits: Limits,
  ): Promise<unknown>;
}
