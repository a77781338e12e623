using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>The operations of a kind, as far as kubectl looks at them: which kind a path serves, which parameters and patch types it takes.</summary>
internal sealed class OpenApiPaths(bool version3)
{
    private static readonly (string Name, string Type, string Text)[] WriteParameters =
    [
        ("dryRun", "string", "All: go through every step but store nothing."),
        ("fieldManager", "string", "Who writes, for field ownership."),
        ("fieldValidation", "string", "Ignore, Warn about or Strictly refuse unknown and duplicate fields."),
    ];

    /// <summary>Adds all paths of a kind.</summary>
    public void Add(JsonObject paths, OpenApiKind kind)
    {
        var root = "/" + kind.GroupVersionPath;
        var scoped = kind.Namespaced ? $"{root}/namespaces/{{namespace}}/{kind.Plural}" : $"{root}/{kind.Plural}";
        paths[scoped] = Item(kind, kind.Namespaced ? ["namespace"] : [], ("get", "list"), ("post", "post"));
        if (kind.Namespaced) paths[$"{root}/{kind.Plural}"] = Item(kind, [], ("get", "list"));
        string[] names = kind.Namespaced ? ["name", "namespace"] : ["name"];
        paths[scoped + "/{name}"] = Item(kind, names, ("get", "get"), ("put", "put"), ("patch", "patch"), ("delete", "delete"));
        foreach (var subresource in kind.Subresources.Order(StringComparer.Ordinal))
            paths[scoped + "/{name}/" + subresource] = Item(kind, names, ("get", "get"), ("put", "put"), ("patch", "patch"));
    }

    private JsonObject Item(OpenApiKind kind, string[] pathParameters, params (string Method, string Action)[] operations)
    {
        var item = new JsonObject();
        foreach (var (method, action) in operations) item[method] = Operation(kind, method, action);
        if (pathParameters.Length > 0) item["parameters"] = new JsonArray([.. pathParameters.Select(name => Parameter(name, "path", "string", $"{name} of the {kind.Kind}"))]);
        return item;
    }

    private JsonObject Operation(OpenApiKind kind, string method, string action)
    {
        var reference = new JsonObject { ["$ref"] = (version3 ? BuiltInSchemas.Reference : "#/definitions/") + kind.SchemaName };
        var parameters = method == "get" ? [] : new JsonArray([.. WriteParameters.Select(parameter => Parameter(parameter.Name, "query", parameter.Type, parameter.Text))]);
        if (method == "patch") parameters.Add((JsonNode)Parameter("force", "query", "boolean", "Take over fields of other managers when applying."));
        var operation = new JsonObject
        {
            ["parameters"] = parameters,
            ["responses"] = new JsonObject { ["200"] = Response(reference) },
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = BuiltInSchemas.GroupVersionKind(kind.Group, kind.Version, kind.Kind),
        };
        if (method is "post" or "put" or "patch") AddBody(operation, kind, method, reference);
        return operation;
    }

    private void AddBody(JsonObject operation, OpenApiKind kind, string method, JsonObject reference)
    {
        string[] types = method == "patch" ? PatchTypes(kind) : ["application/json", "application/yaml"];
        var schema = method == "patch" ? new JsonObject { ["type"] = "object" } : reference;
        if (version3)
        {
            var content = new JsonObject();
            foreach (var type in types) content[type] = new JsonObject { ["schema"] = schema.DeepClone() };
            operation["requestBody"] = new JsonObject { ["content"] = content, ["required"] = true };
            return;
        }
        operation["consumes"] = new JsonArray([.. types.Select(type => (JsonNode)type)]);
        operation["parameters"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "body", ["in"] = "body", ["required"] = true, ["schema"] = schema.DeepClone() });
    }

    private static string[] PatchTypes(OpenApiKind kind) => kind.IsCustom
        ? ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
        : ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

    private JsonObject Response(JsonObject schema) => version3
        ? new() { ["description"] = "OK", ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = schema.DeepClone() } } }
        : new() { ["description"] = "OK", ["schema"] = schema.DeepClone() };

    private JsonObject Parameter(string name, string place, string type, string text)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["description"] = text };
        if (place == "path") parameter["required"] = true;
        if (version3) parameter["schema"] = new JsonObject { ["type"] = type };
        else parameter["type"] = type;
        return parameter;
    }
}
