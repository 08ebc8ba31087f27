"""Reads YAML files; prints what is in each as JSON. With --kubernetes each object is held to the schema of that version first."""

import json
import sys

import yaml


def main() -> int:
    _, how, *paths = sys.argv
    files = {}
    for path in paths:
        with open(path, encoding="utf8") as file:
            files[path] = [one for one in yaml.safe_load_all(file) if one is not None]
    problems = []
    if how.startswith("--kubernetes="):
        import kubernetes_validate

        version = how.split("=", 1)[1]
        for path, objects in files.items():
            for one in objects:
                try:
                    kubernetes_validate.validate(one, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    where = ".".join(str(step) for step in error.path)
                    problems.append(f"{path}: {one.get('kind')} {one['metadata']['name']}: {where}: {error.message}")
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    json.dump(list(files.values()), sys.stdout)
    return 0


sys.exit(main())
