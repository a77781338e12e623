using System.Text.Json.Nodes;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Tables, as <c>kubectl get</c> asks for them.</summary>
public sealed class TableTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task A_list_of_ConfigMaps_is_a_table_of_name_data_and_age(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: ""","labels":{"t":"1"}""");

        var table = (await Api.GetAsync($"{ConfigMaps}?labelSelector=t", ct, RawApi.Table)).Expect(200);

        ((string?)table.Json["kind"]).Should().Be("Table");
        ((string?)table.Json["apiVersion"]).Should().Be("meta.k8s.io/v1");
        Columns(table).Should().Equal("Name", "Data", "Age");
        var row = table.Json["rows"]!.AsArray().Single()!;
        ((string?)row["cells"]![0]).Should().Be("a");
        ((int?)row["cells"]![1]).Should().Be(1);
        ((string?)row["object"]!["kind"]).Should().Be("PartialObjectMetadata");
        table.ResourceVersion.Should().NotBeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_custom_resource_shows_its_printer_columns(CancellationToken ct)
    {
        var custom = await CustomResources.InstallAsync(Api, Namespace, ct);
        var path = custom.In(Namespace);
        (await Api.PostAsync(path, custom.Json("a"), ct)).Expect(201);
        (await Api.PatchAsync($"{path}/a/status", RawApi.MergePatch, """{"status":{"conditions":[{"type":"Other","status":"False"},{"type":"Ready","status":"True"}]}}""", ct)).Expect(200);

        var table = (await Api.GetAsync(path, ct, RawApi.Table)).Expect(200);
        await Api.DeleteAsync(custom.CrdPath, ct);

        Columns(table).Should().Equal("Name", "Size", "Ready", "Age");
        var cells = table.Json["rows"]![0]!["cells"]!.AsArray();
        ((string?)cells[0]).Should().Be("a");
        ((int?)cells[1]).Should().Be(3);
        ((string?)cells[2]).Should().Be("True");
        ((string?)cells[3]).Should().MatchRegex("^[0-9]+s$");
    }

    [Test, CancelAfter(120_000)]
    public async Task One_object_is_a_table_too_and_can_carry_itself(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        var table = (await Api.GetAsync($"{ConfigMaps}/a?includeObject=Object", ct, RawApi.Table)).Expect(200);

        ((string?)table.Json["rows"]![0]!["object"]!["data"]!["k"]).Should().Be("1");
    }

    private static IEnumerable<string> Columns(RawAnswer table) => table.Json["columnDefinitions"]!.AsArray().OfType<JsonObject>().Select(c => (string)c["name"]!);
}
