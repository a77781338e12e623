using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Writing;

/// <summary>The one way objects are changed: decode, prune, default, own fields, check, track ownership, compare, store.</summary>
public sealed partial class ObjectWriter(ObjectStore store, TimeProvider clock)
{
    // A compare-and-swap that loses this often has met a bug, not a crowd.
    private const int MaxAttempts = 1000;

    /// <summary>Called after a write was stored, before it is answered.</summary>
    public Action<ApiResource, ObjectKey>? Written { get; set; }

    private DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Creates an object.</summary>
    /// <param name="resource">Kind and version of the request.</param>
    /// <param name="ns">Namespace of the URL; empty for cluster scope.</param>
    /// <param name="body">The object; taken over.</param>
    /// <param name="options">Query parameters.</param>
    /// <exception cref="ApiException">409 AlreadyExists, 404 for the namespace, 403 while it terminates, 400/422 for a bad object.</exception>
    public WriteResult Create(ApiResource resource, string ns, JsonObject body, WriteOptions options) => Create(resource, ns, body, options, track: true);

    private WriteResult Create(ApiResource resource, string ns, JsonObject body, WriteOptions options, bool track)
    {
        CheckTypes(resource, body);
        CheckIdentity(resource, body, ns, name: null);
        var metadata = body.Metadata();
        if (metadata.Text("resourceVersion") is { Length: > 0 }) throw ApiException.BadRequest("resourceVersion should not be set on objects to be created");
        var warnings = Decode(resource, body, options);
        ObjectMetadata.StampNew(metadata, ns, countsGenerations: false, Now);
        CheckNamespace(resource, ns, metadata.Text("name") ?? "");
        resource.ToStorage?.Invoke(body);
        resource.Rules.PrepareForCreate(body);
        resource.Rules.Default(body);
        if (resource.Rules.IsNewGeneration(body, null)) metadata["generation"] = 1L;
        Validate(resource, body, null);
        warnings.AddRange(resource.Rules.Warnings(body));
        var key = new ObjectKey(ns, metadata.Text("name")!);
        if (store.Get(resource.Collection, key) is not null) throw ApiException.AlreadyExists(resource.Group, resource.Plural, key.Name);
        if (track) Track(resource, null, body, options, null);
        if (!options.DryRun)
        {
            if (store.TryPut(resource.Collection, key, null, body) is null) throw ApiException.AlreadyExists(resource.Group, resource.Plural, key.Name);
            Written?.Invoke(resource, key);
        }
        resource.FromStorage?.Invoke(body);
        return new WriteResult(body, true, warnings);
    }

    /// <summary>Every value must be readable into its field. Custom resources are typed in their metadata only: the rest is for their schema.</summary>
    private static void CheckTypes(ApiResource resource, JsonObject body)
    {
        var misfit = resource.Fields is { } fields ? fields.Misfit(body, resource.Kind) : StructuralSchema.CommonMisfit(body, resource.Kind);
        if (misfit is not null)
            throw ApiException.BadRequest($"{resource.Kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}: {misfit}");
    }

    /// <summary>apiVersion, kind, namespace and name of a body must be those of the URL; left out, they are filled in.</summary>
    private static void CheckIdentity(ApiResource resource, JsonObject body, string ns, string? name)
    {
        if (body.Text("apiVersion") is { Length: > 0 } version && version != resource.GroupVersion)
            throw ApiException.BadRequest($"the API version in the data ({version}) does not match the expected API version ({resource.GroupVersion})");
        if (body.Text("kind") is { Length: > 0 } kind && kind != resource.Kind)
            throw ApiException.BadRequest($"the kind in the data ({kind}) does not match the expected kind ({resource.Kind})");
        body["apiVersion"] = resource.GroupVersion;
        body["kind"] = resource.Kind;
        var metadata = body.Metadata();
        if (metadata.Text("namespace") is { Length: > 0 } given && given != ns)
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        if (name is null) return;
        if (metadata.Text("name") is { Length: > 0 } other && other != name)
            throw ApiException.BadRequest($"the name of the object ({other}) does not match the name on the URL ({name})");
        metadata["name"] = name;
    }

    /// <summary>Prunes and defaults the request's version.</summary>
    private static List<string> Decode(ApiResource resource, JsonObject body, WriteOptions options)
    {
        ObjectMetadata.DropEmpty(body.Metadata());
        var unknown = resource.Fields?.Prune(body) ?? resource.Rules.Prune(body);
        if (unknown.Count == 0 || options.FieldValidation == FieldValidation.Ignore) return [];
        if (options.FieldValidation == FieldValidation.Warn) return [.. unknown.Select(path => $"unknown field \"{path}\"")];
        var fields = string.Join(", ", unknown.Select(path => $"unknown field \"{path}\""));
        throw ApiException.BadRequest($"{resource.Kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}: strict decoding error: {fields}");
    }

    private void CheckNamespace(ApiResource resource, string ns, string name)
    {
        if (!resource.Namespaced) return;
        if (ns.Length == 0) throw ApiException.BadRequest("an empty namespace may not be set during creation");
        var found = store.Get(store.Collection("namespaces"), new ObjectKey("", ns)) ?? throw ApiException.NotFound("", "namespaces", ns);
        if (ObjectMetadata.IsDeleting(found.Parse())) throw ApiException.NamespaceTerminating(resource.Group, resource.Plural, name, ns);
    }

    private static void Validate(ApiResource resource, JsonObject item, JsonObject? old)
    {
        List<FieldError> errors = [.. ObjectMetadata.Validate(item.Metadata(), old?.Metadata(), resource.Rules), .. resource.Rules.Validate(item, old)];
        if (errors.Count > 0) throw ApiException.Invalid(resource.Group, resource.Kind, item.Metadata().Text("name") ?? "", errors);
    }

    private void Track(ApiResource resource, JsonObject? old, JsonObject item, WriteOptions options, string? subresource)
    {
        try
        {
            ServerSideApply.TrackUpdate(old, item, options.Manager, resource.GroupVersion, subresource, Now, resource.Merge);
        }
        catch (PatchException) when (TypedValue.Unidentified(item, resource.Merge) is { } nameless)
        {
            // Nobody could own it.
            var error = FieldError.Required(nameless.Path, $"an item of this list is told apart by {string.Join(", ", nameless.Keys)}");
            throw ApiException.Invalid(resource.Group, resource.Kind, item.Metadata().Text("name") ?? "", [error]);
        }
    }
}
