import { cold } from '../images/cold.js';
import { warm } from '../images/warm.js';
import type { Bench, Row, Section } from '../section.js';

export const images: Section = {
  name: 'images',
  summary: 'serving pictures beside nginx with the same files, and reading them beside the S3 client alone',
  async run(bench: Bench): Promise<Row[]> {
    return [...(await warm(bench)), ...(await cold(bench))];
  },
};
