using k8s;
using k8s.Models;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Create, read, update, delete: what holds for every kind, shown on ConfigMaps.</summary>
public sealed class ConfigMapTests : ConformanceTest
{
    [Test, CancelAfter(30_000)]
    public async Task A_created_object_gets_identity_from_the_server(CancellationToken ct)
    {
        var created = await CreateAsync(Named("a"), ct);

        created.Metadata.Uid.Should().NotBeNullOrEmpty();
        created.Metadata.CreationTimestamp.Should().NotBeNull();
        long.Parse(created.Metadata.ResourceVersion).Should().BePositive();
        created.Metadata.Generation.Should().BeNull("ConfigMaps count no generations");
    }

    [Test, CancelAfter(30_000)]
    public async Task A_second_create_of_one_name_is_AlreadyExists(CancellationToken ct)
    {
        await CreateAsync(Named("a"), ct);

        var status = await StatusOfAsync(() => CreateAsync(Named("a"), ct));

        status.Code.Should().Be(409);
        status.Reason.Should().Be("AlreadyExists");
        status.Details.Name.Should().Be("a");
        status.Details.Kind.Should().Be("configmaps");
    }

    private Task<V1ConfigMap> CreateAsync(V1ConfigMap item, CancellationToken ct) => Core.CreateNamespacedConfigMapAsync(item, Namespace, cancellationToken: ct);

    private static V1ConfigMap Named(string name) => new() { Metadata = new V1ObjectMeta { Name = name } };
}
