using System.Reflection;
using System.Text.Json;
using Ome.Tests.Agent.Host;
using Ome.Tests.Agent.Staging;
using Ome.Tests.Operator;

namespace Ome.Tests.Architecture;

/// <summary>No row of the contract's tables is forgotten: each is a case in a file, or a test that names it.</summary>
public sealed class ContractCoverageTests
{
    [TestCase("keys.json", "K", 1, 26)]
    [TestCase("uris.json", "U", 1, 24)]
    [TestCase("entries.json", "E", 1, 12)]
    [TestCase("entries.json", "E", 17, 19)]
    [TestCase("placement.json", "S", 1, 12)]
    [TestCase("controller.json", "C", 2, 7)]
    [TestCase("controller.json", "C", 9, 12)]
    [TestCase("controller.json", "C", 14, 21)]
    [TestCase("keys.json", "C", 24, 24)]
    [TestCase("artifacts.json", "A", 1, 16)]
    [TestCase("removal.json", "D", 1, 11)]
    [TestCase("removal.json", "D", 15, 16)]
    [TestCase("storage.json", "P", 18, 23)]
    [TestCase("storage.json", "P", 25, 25)]
    public void Every_row_is_a_case(string table, string letter, int first, int last)
    {
        using var stream = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Cases", "contract", table));
        using var document = JsonDocument.Parse(stream);
        var ids = document.RootElement.EnumerateArray().Select(static row => row.GetProperty("id").GetString()).ToHashSet();

        Enumerable.Range(first, last - first + 1).Select(number => $"{letter}{number:D2}").Should().BeSubsetOf(ids!);
    }

    [TestCase("C01")]
    [TestCase("C08")]
    [TestCase("C13")]
    [TestCase("C22")]
    [TestCase("C23")]
    public void Every_row_that_needs_a_cluster_is_a_test(string id) => typeof(ModelStatusTests).GetMethods(BindingFlags.Public | BindingFlags.Instance)
        .Select(static method => method.Name).Should().Contain(name => name.StartsWith(id, StringComparison.Ordinal));

    [TestCase(typeof(DownloadPolicyTests), "A15")]
    [TestCase(typeof(DownloadPolicyTests), "A16")]
    [TestCase(typeof(DeletedModelTests), "D12")]
    [TestCase(typeof(DeletedModelTests), "D13")]
    [TestCase(typeof(DeletedModelTests), "D14")]
    [TestCase(typeof(SchemeTests), "D11")]
    [TestCase(typeof(SchemeTests), "D16")]
    [TestCase(typeof(SecretsTests), "P24")]
    public void Every_row_that_needs_an_agent_is_a_test(Type tests, string id) => tests.GetMethods(BindingFlags.Public | BindingFlags.Instance)
        .SelectMany(static method => method.Name.Split('_')).Should().Contain(id);
}
