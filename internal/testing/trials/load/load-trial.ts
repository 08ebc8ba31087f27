import { Sightings } from "../../fakes/client/tapped-transport.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { Changes } from "./changes.ts";
import { LoadDevice } from "./load-device.ts";
import { LoadTexts } from "./load-texts.ts";
import { SendLedger } from "./send-ledger.ts";

/** What every trial of a server under load keeps of it: who sends, what became of it, and who has seen what. */
export class LoadTrial {
  readonly ledger: SendLedger;
  readonly texts = new LoadTexts();
  readonly sightings = new Sightings();
  /** Those that take part, which each trial makes. */
  readonly devices: LoadDevice[] = [];
  /** Told after everything that a trial may wait for. */
  protected readonly changes = new Changes();
  /** Devices fork it, so that what one does changes nothing for the others. */
  protected readonly random: SeededRandom;
  /** Where the clients keep their outboxes. */
  protected readonly folder: string;

  protected constructor(folder: string, random: SeededRandom) {
    this.folder = folder;
    this.random = random;
    this.ledger = new SendLedger(this.changes.say);
  }

  /** A device that takes part; it is not started. */
  protected makeDevice(of: {
    readonly userId: string;
    readonly deviceId: string;
    readonly token: string;
    readonly grpcUrl: string;
  }): LoadDevice {
    const { ledger, texts, sightings, random, folder, changes } = this;
    return new LoadDevice({ ...of, ledger, texts, sightings, random, folder, changed: changes.say });
  }
}
