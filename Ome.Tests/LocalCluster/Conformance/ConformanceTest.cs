using System.Text.Json.Nodes;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>A promise of the Kubernetes API that Ome relies on. Each test runs on whichever control plane the environment chose.</summary>
public abstract class ConformanceTest
{
    protected ITestControlPlane Plane { get; private set; } = null!;

    /// <summary>The API as administrator.</summary>
    protected RawApi Api { get; private set; } = null!;

    /// <summary>A namespace of this test's own.</summary>
    protected string Namespace { get; private set; } = "";

    protected string ConfigMaps => $"/api/v1/namespaces/{Namespace}/configmaps";

    [SetUp]
    public async Task TakeNamespaceAsync()
    {
        Plane = await ControlPlanes.SharedAsync(CancellationToken.None);
        Api = new RawApi(Plane.Configuration);
        Namespace = await Plane.CreateNamespaceAsync(CancellationToken.None);
        await PrepareAsync();
    }

    [TearDown]
    public void CloseApi() => Api.Dispose();

    /// <summary>What a fixture needs before each test.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>JSON of a ConfigMap.</summary>
    protected static string ConfigMap(string name, string value = "1", string metadata = "") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{metadata}}}},"data":{"k":"{{{value}}}"}}""";

    /// <summary>Creates a ConfigMap and gives what the server answered.</summary>
    protected async Task<RawAnswer> CreateAsync(string name, CancellationToken ct, string value = "1", string metadata = "") =>
        (await Api.PostAsync(ConfigMaps, ConfigMap(name, value, metadata), ct)).Expect(201);

    /// <summary>Names in a list answer, in order.</summary>
    protected static IReadOnlyList<string> Names(RawAnswer list) => [.. list.Expect(200).Json["items"]!.AsArray().Select(i => (string)i!["metadata"]!["name"]!)];

    protected static string Edit(RawAnswer answer, Action<JsonObject> change)
    {
        var tree = answer.Json;
        change(tree);
        return tree.ToJsonString();
    }
}
