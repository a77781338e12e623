using System.Text.Json.Nodes;
using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>Kubernetes objects as they are applied, read from YAML.</summary>
internal sealed class Manifest(JsonObject json)
{
    public JsonObject Json => json;

    public string Kind => (string)json["kind"]!;

    public string Name => (string)json["metadata"]!["name"]!;

    /// <summary>Kind, namespace and name: what makes two objects the same one.</summary>
    public string Id => $"{Kind} {(string?)json["metadata"]!["namespace"]}/{Name}";

    /// <summary>The only container of a Deployment, DaemonSet or Pod.</summary>
    public JsonObject Container => PodSpec["containers"]!.AsArray().Single()!.AsObject();

    public JsonObject PodSpec => (Kind == "Pod" ? json["spec"] : json["spec"]!["template"]!["spec"])!.AsObject();

    public bool RunsPods => Kind is "Deployment" or "DaemonSet" or "Pod";

    public static IReadOnlyList<Manifest> Parse(string yaml) =>
        [.. JsonNode.Parse(Golden.CanonicalYaml(yaml))!.AsArray().OfType<JsonObject>().Select(document => new Manifest((JsonObject)document.DeepClone()))];

    public static IReadOnlyList<Manifest> InFile(string path) => Parse(Golden.ReadFile(path));

    /// <summary>The arguments of the only container.</summary>
    public IReadOnlyList<string> Arguments() => [.. Container["args"]!.AsArray().Select(argument => (string)argument!)];

    public override string ToString() => Golden.CanonicalJson(json.ToJsonString());
}
