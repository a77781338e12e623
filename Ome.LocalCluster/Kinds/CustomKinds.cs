using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Tables;

namespace Ome.LocalCluster.Kinds;

/// <summary>A CRD that passed <see cref="CrdRules"/> → the resources it serves, one for each served version.</summary>
public static class CustomKinds
{
    public static IReadOnlyList<ApiResource> Build(JsonObject crd, ObjectStore store)
    {
        var spec = crd.Child("spec");
        var group = spec.Text("group")!;
        var plural = spec.Child("names").Text("plural")!;
        var collection = store.Collection($"{plural}.{group}");
        var versions = (spec.List("versions") ?? []).OfType<JsonObject>().ToList();
        return [.. versions.Where(v => IsTrue(v["served"])).Select(v => Build(spec, group, plural, v, collection))];
    }

    private static ApiResource Build(JsonObject spec, string group, string plural, JsonObject version, ObjectCollection collection)
    {
        var names = spec.Child("names");
        var name = version.Text("name")!;
        var storage = IsTrue(version["storage"]);
        var schema = StructuralSchema.Parse(version.Map("schema")!.Map("openAPIV3Schema")!, "spec.versions.schema.openAPIV3Schema", out _);
        var subresources = version.Map("subresources");
        var hasStatus = subresources?.ContainsKey("status") == true;
        return new ApiResource
        {
            Group = group,
            Version = name,
            Plural = plural,
            Singular = names.Text("singular") ?? "",
            Kind = names.Text("kind")!,
            ListKind = names.Text("listKind") ?? "",
            Namespaced = spec.Text("scope") == "Namespaced",
            ShortNames = names.Texts("shortNames"),
            Categories = names.Texts("categories"),
            HasStatus = hasStatus,
            Scale = subresources?.Map("scale") is { } scale
                ? new ScalePaths(scale.Text("specReplicasPath") ?? "", scale.Text("statusReplicasPath") ?? "", scale.Text("labelSelectorPath"))
                : null,
            IsStorageVersion = storage,
            IsCustom = true,
            SelectableFields = [.. (version.List("selectableFields") ?? []).OfType<JsonObject>().Select(f => f.Text("jsonPath")!.TrimStart('.'))],
            Rules = new CustomResourceRules(schema, hasStatus),
            Schema = schema,
            Merge = schema.Merge,
            Columns = TableColumns.ForCustomResource(version.List("additionalPrinterColumns")),
            Collection = collection,
            // Conversion strategy None: only the version's name changes.
            FromStorage = storage ? null : tree => tree["apiVersion"] = $"{group}/{name}",
            ToStorage = storage ? null : tree => tree["apiVersion"] = $"{group}/{StorageVersionOf(spec)}",
        };
    }

    private static string StorageVersionOf(JsonObject spec) =>
        spec.List("versions")!.OfType<JsonObject>().First(v => IsTrue(v["storage"])).Text("name")!;

    private static bool IsTrue(JsonNode? node) => node?.GetValueKind() == JsonValueKind.True;
}
