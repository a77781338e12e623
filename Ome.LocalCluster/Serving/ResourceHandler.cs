using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Tables;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Serving;

/// <summary>get, create, update, patch, delete and deletecollection of objects and their status.</summary>
internal sealed class ResourceHandler(ObjectStore store, ObjectWriter writer, TimeProvider clock)
{
    public async Task GetAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var key = new ObjectKey(path.Namespace, path.Name);
        var item = store.Get(resource.Collection, key) ?? throw ApiException.NotFound(resource.Group, resource.Plural, path.Name);
        if (request.Accepts.Table) await AnswerAsync(request, resource, resource.Read(item), 200);
        else await request.JsonAsync(resource.ReadJson(item));
    }

    public async Task CreateAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var body = await RequestBody.ReadObjectAsync(request);
        var result = writer.Create(resource, path.Namespace, body, request.WriteOptions);
        request.Warn(result.Warnings);
        await AnswerAsync(request, resource, result.Tree, 201);
    }

    public async Task UpdateAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var body = await RequestBody.ReadObjectAsync(request);
        var result = writer.Update(resource, new ObjectKey(path.Namespace, path.Name), Subresource(path), _ => body.DeepClone().AsObject(), request.WriteOptions);
        request.Warn(result.Warnings);
        await AnswerAsync(request, resource, result.Tree, 200);
    }

    public async Task PatchAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var kind = PatchKindOf(request, resource);
        var body = await RequestBody.ReadAsync(request) ?? throw ApiException.BadRequest("the patch is empty");
        var result = writer.Patch(resource, new ObjectKey(path.Namespace, path.Name), Subresource(path), kind, body, request.WriteOptions);
        request.Warn(result.Warnings);
        await AnswerAsync(request, resource, result.Tree, result.Created ? 201 : 200);
    }

    public async Task DeleteAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var options = DeleteOptions.Read(request.Query, await RequestBody.ReadOptionalAsync(request));
        var (tree, gone) = writer.Delete(resource, new ObjectKey(path.Namespace, path.Name), options);
        if (gone) await request.JsonAsync(StatusObjects.Deleted(resource.Group, resource.Plural, path.Name, tree.Metadata().Text("uid") ?? ""));
        else await AnswerAsync(request, resource, tree, 200);
    }

    public async Task DeleteCollectionAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var options = DeleteOptions.Read(request.Query, await RequestBody.ReadOptionalAsync(request));
        var query = ListQuery.Read(request, resource, path);
        var deleted = new JsonArray();
        foreach (var item in store.List(resource.Collection).Objects.Values.Where(query.Matches))
        {
            try
            {
                deleted.Add((JsonNode)writer.Delete(resource, item.Key, options).Tree);
            }
            catch (ApiException e) when (e.Reason == "NotFound")
            {
                // Somebody else was faster; gone is gone.
            }
        }
        await request.JsonAsync(new JsonObject
        {
            ["kind"] = resource.ListKind,
            ["apiVersion"] = resource.GroupVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = Revisions.Format(store.Revision) },
            ["items"] = deleted,
        });
    }

    private Task AnswerAsync(ApiRequest request, ApiResource resource, JsonObject tree, int code) => request.Accepts.Table
        ? request.JsonAsync(TableRenderer.Render(resource.Columns, [tree], null, request.Parameter("includeObject"), clock.GetUtcNow()), code)
        : request.JsonAsync(tree, code);

    private static string? Subresource(RequestPath path) => path.Subresource.Length == 0 ? null : path.Subresource;

    private static PatchKind PatchKindOf(ApiRequest request, ApiResource resource)
    {
        const string Common = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        var type = (request.Http.Request.ContentType ?? "").Split(';')[0].Trim();
        return type switch
        {
            "application/json-patch+json" => PatchKind.Json,
            "application/merge-patch+json" => PatchKind.Merge,
            "application/apply-patch+yaml" => PatchKind.Apply,
            "application/strategic-merge-patch+json" when !resource.IsCustom => PatchKind.StrategicMerge,
            _ => throw ApiException.UnsupportedMediaType(type, resource.IsCustom ? Common : Common + ", application/strategic-merge-patch+json"),
        };
    }
}
