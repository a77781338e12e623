using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Serving;

/// <summary>The scale subresource: <c>spec.replicas</c> of any kind that has one, as <c>autoscaling/v1 Scale</c>.</summary>
internal sealed class ScaleHandler(ObjectStore store, ObjectWriter writer)
{
    public Task GetAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var item = store.Get(resource.Collection, new ObjectKey(path.Namespace, path.Name)) ?? throw ApiException.NotFound(resource.Group, resource.Plural, path.Name);
        return request.JsonAsync(ToScale(resource, resource.Read(item)));
    }

    public async Task WriteAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var body = await RequestBody.ReadAsync(request) ?? throw ApiException.BadRequest("the body is empty");
        var patch = request.Method == "PATCH";
        var json = request.Http.Request.ContentType?.StartsWith("application/json-patch+json", StringComparison.Ordinal) == true;
        var result = writer.Update(resource, new ObjectKey(path.Namespace, path.Name), null, live =>
        {
            var scale = ToScale(resource, live);
            var wanted = (patch, json) switch
            {
                (false, _) => Map(body),
                (_, true) => Map(JsonPatch.Apply(scale, body as JsonArray ?? throw ApiException.BadRequest("a JSON patch must be a list of operations"))),
                _ => MergePatch.Apply(scale, Map(body)),
            };
            return Scaled(resource, live, wanted);
        }, request.WriteOptions);
        await request.JsonAsync(ToScale(resource, result.Tree));
    }

    private static JsonObject Map(JsonNode body) => body as JsonObject ?? throw ApiException.BadRequest("the body must be an object");

    private static JsonObject Scaled(ApiResource resource, JsonObject live, JsonObject wanted)
    {
        var replicas = wanted.Map("spec")?["replicas"];
        if (replicas is not null && wanted.Map("spec")!.Integer("replicas") is null)
            throw ApiException.BadRequest($"json: cannot unmarshal {replicas.ToJsonString()} into field Scale.spec.replicas of type int32");
        Set(live, resource.Scale!.SpecReplicas, wanted.Map("spec")?.Integer("replicas") ?? 0);
        if (wanted.Metadata().Text("resourceVersion") is { Length: > 0 } version) live.Metadata()["resourceVersion"] = version;
        return live;
    }

    private static JsonObject ToScale(ApiResource resource, JsonObject item)
    {
        var metadata = item.Metadata();
        var status = new JsonObject { ["replicas"] = Get(item, resource.Scale!.StatusReplicas)?.DeepClone() ?? 0 };
        if (resource.Scale.LabelSelector is { } selector && Get(item, selector) is JsonValue text) status["selector"] = text.ToString();
        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = new JsonObject
            {
                ["name"] = metadata.Text("name"),
                ["namespace"] = metadata.Text("namespace"),
                ["uid"] = metadata.Text("uid"),
                ["resourceVersion"] = metadata.Text("resourceVersion"),
                ["creationTimestamp"] = metadata.Text("creationTimestamp"),
            },
            ["spec"] = new JsonObject { ["replicas"] = Get(item, resource.Scale.SpecReplicas)?.DeepClone() ?? 0 },
            ["status"] = status,
        };
    }

    private static JsonNode? Get(JsonObject item, string path)
    {
        JsonNode? node = item;
        foreach (var step in path.Split('.', StringSplitOptions.RemoveEmptyEntries)) node = (node as JsonObject)?[step];
        return node;
    }

    private static void Set(JsonObject item, string path, long value)
    {
        var steps = path.Split('.', StringSplitOptions.RemoveEmptyEntries);
        foreach (var step in steps[..^1]) item = item.Child(step);
        item[steps[^1]] = value;
    }
}
