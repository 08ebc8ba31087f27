import { Code, ErrorReason, HeddleError, invalidField } from "../base/heddle-error.ts";
import { isShownName, SHOWN_NAME_RULE } from "../base/shown-name.ts";
import type * as rpc from "../gen/heddle/profile/v1/profile_service_pb.js";
import { isAllowedPicture } from "./display.ts";
import type { Call, Profile, ProfileStore } from "./ports.ts";

/** What profiles may say, as settings have it. */
export interface ProfileRules {
  /** Whether users may set their own. */
  readonly canBeSet: boolean;
  /** Hosts whose pictures are shown; `*.example.com` is every host below example.com. */
  readonly pictureHosts: readonly string[];
}

const NOTHING: Profile = { displayName: "", pictureUrl: "" };

/** The RPCs of ProfileService. Requests have passed the rules of the schema. */
export class ProfileCalls {
  readonly #store: ProfileStore;
  readonly #rules: ProfileRules;

  constructor(store: ProfileStore, rules: ProfileRules) {
    this.#store = store;
    this.#rules = rules;
  }

  readonly handlers = {
    getProfiles: (request: rpc.GetProfilesRequest) => this.#get(request),
    setProfile: (request: rpc.SetProfileRequest, call: Call) => this.#set(request, call),
  };

  async #get({ userIds }: rpc.GetProfilesRequest) {
    const found = await this.#store.readProfiles(userIds);
    return { profiles: userIds.map((userId) => this.#shown(userId, found.get(userId) ?? NOTHING)) };
  }

  async #set({ displayName, pictureUrl }: rpc.SetProfileRequest, { caller }: Call) {
    if (!this.#rules.canBeSet) throw profileIsGiven();
    if (displayName !== "" && !isShownName(displayName)) throw invalidField("display_name", SHOWN_NAME_RULE);
    if (pictureUrl !== "" && !isAllowedPicture(pictureUrl, this.#rules.pictureHosts)) {
      throw invalidField("picture_url", "https, on a host of HEDDLE_PICTURE_HOSTS");
    }
    const isEmpty = displayName === "" && pictureUrl === "";
    await this.#store.setProfile(caller.userId, isEmpty ? undefined : { displayName, pictureUrl });
    return { profile: this.#shown(caller.userId, { displayName, pictureUrl }) };
  }

  /** Hosts may have been taken off the list since a picture was stored. */
  #shown(userId: string, { displayName, pictureUrl }: Profile) {
    const isAllowed = isAllowedPicture(pictureUrl, this.#rules.pictureHosts);
    return { userId, displayName, pictureUrl: isAllowed ? pictureUrl : "" };
  }
}

function profileIsGiven(): HeddleError {
  const text = "names and pictures come from the identity provider here";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.PROFILE_IS_GIVEN, text);
}
