using System.Text.Json;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Models;

/// <summary>Contract 10.1: keys, labels and their patches.</summary>
public sealed class ModelKeyTests
{
    private const string Table = "contract/keys.json";

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "label" })]
    public void Label_key(JsonElement row)
    {
        var key = Model(row.Text("model")!).LabelKey;

        key.Should().Be(row.Text("want"));
        key["models.ome.io/".Length..].Length.Should().BeLessThanOrEqualTo(49);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "data" })]
    public void Data_key(JsonElement row)
    {
        var model = Model(row.Text("model")!);

        model.DataKey.Should().Be(row.Text("want"));
        model.DataKey.Length.Should().BeLessThanOrEqualTo(OmeNames.MaxNameLength);
        new ModelKeySet([model]).TryFindByDataKey(model.DataKey, out var found).Should().BeTrue();
        found.Should().Be(model, "a shortened key is recognised, not read");
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "parse" })]
    public void Parsing_a_data_key(JsonElement row)
    {
        var isKey = ModelKey.TryParseDataKey(row.Text("key"), out var model);

        var want = row.GetProperty("want");
        isKey.Should().Be(want.ValueKind == JsonValueKind.Object);
        if (!isKey) return;
        model!.Kind.ToString().Should().Be(want.Text("kind"));
        model.Namespace.Should().Be(want.Text("namespace"));
        model.Name.Should().Be(want.Text("name"));
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "patch" })]
    public void Label_patch(JsonElement row) =>
        NodeLabelPatch.For(Model(row.Text("model")!), Enum.Parse<NodeModelState>(row.Text("state")!), row.Text("current")).Should().Be(row.Text("want"));

    [Test]
    public void A_key_two_models_claim_belongs_to_neither()
    {
        var set = new ModelKeySet([ModelKey.Cluster("basemodel.m"), ModelKey.Namespaced("clusterbasemodel", "m")]);

        set.TryFindByDataKey("clusterbasemodel.basemodel.m", out _).Should().BeFalse();
        set.AllByDataKey("clusterbasemodel.basemodel.m").Should().HaveCount(2);
    }

    [Test]
    public void A_name_no_object_can_have_is_a_bug_of_the_caller()
    {
        FluentActions.Invoking(() => ModelKey.Cluster("a/b")).Should().Throw<ArgumentException>().WithMessage("*'a/b' is not a Kubernetes name*");
        FluentActions.Invoking(() => ModelKey.Namespaced("", "m")).Should().Throw<ArgumentException>();
    }

    [Test]
    public void The_name_of_a_check_is_a_legal_object_name()
    {
        var name = ModelKey.Cluster(new string('m', 200)).CheckName("gpu-7.cluster.example");

        name.Length.Should().BeLessThanOrEqualTo(OmeNames.MaxNameLength);
        name.Should().MatchRegex("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$");
        ModelKey.Cluster("m").CheckName("gpu-7").Should().Be("gpu-7.clusterbasemodel.m");
    }

    internal static ModelKey Model(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? ModelKey.Cluster(text) : ModelKey.Namespaced(text[..slash], text[(slash + 1)..]);
    }
}
