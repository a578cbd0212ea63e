// Why a damaged data set cannot be used, and what to do.

import { explain } from "../server/errors.js";

/** @param {Dataset} dataset */
export const explainDamage = ({ damage }) => explain({ message: damage, reason: "DATASET_DAMAGED" });
