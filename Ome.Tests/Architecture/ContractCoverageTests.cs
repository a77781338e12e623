using System.Reflection;
using System.Text.Json;
using Ome.Tests.Support;

namespace Ome.Tests.Architecture;

/// <summary>
/// No row of the contract's section 10 is forgotten: each is a case of a table in <c>Cases/contract</c> that a test runs, or a test that bears its id. No case
/// lies there unused.
/// </summary>
public sealed class ContractCoverageTests
{
    private const string Folder = "contract/";

    private static readonly List<MethodInfo> Tests =
        [.. typeof(ContractCoverageTests).Assembly.GetTypes().SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))];

    // What tests ask of the tables: the very arguments NUnit calls CaseTable.Rows with.
    private static readonly List<(string Table, string? Op)> Run =
    [
        .. Tests.SelectMany(static method => method.GetCustomAttributes<TestCaseSourceAttribute>())
            .Where(static source => source.SourceType == typeof(CaseTable))
            .Select(static source => ((string)source.MethodParams![0]!, (string?)source.MethodParams[1])),
    ];

    /// <summary>Letters and numbers of the tables 10.1 to 10.8.</summary>
    [TestCase("K", 1, 27)]
    [TestCase("U", 1, 24)]
    [TestCase("E", 1, 19)]
    [TestCase("A", 1, 16)]
    [TestCase("D", 1, 16)]
    [TestCase("S", 1, 14)]
    [TestCase("C", 1, 24)]
    [TestCase("P", 1, 25)]
    public void Every_row_is_a_case_that_runs(string letter, int first, int last)
    {
        var ids = Run.Where(static run => run.Table.StartsWith(Folder, StringComparison.Ordinal))
            .SelectMany(static run => CaseTable.Rows(run.Table, run.Op)).Select(static row => ((JsonElement)row.Arguments[0]!).GetProperty("id").GetString()!);
        var named = Tests.Where(static test => test.IsDefined(typeof(TestAttribute)) || test.IsDefined(typeof(TestCaseAttribute))).SelectMany(static test => test.Name.Split('_'));

        Enumerable.Range(first, last - first + 1).Select(number => $"{letter}{number:D2}").Except(ids.Concat(named), StringComparer.Ordinal).Should().BeEmpty();
    }

    [Test]
    public void Every_case_runs()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Cases", Folder), "*.json"))
        {
            var table = Folder + Path.GetFileName(file);
            if (Run.Contains((table, null))) continue;
            var ops = CaseTable.Rows(table).Select(static row => ((JsonElement)row.Arguments[0]!).GetProperty("op").GetString()).ToHashSet();
            ops.Should().BeSubsetOf(Run.Where(run => run.Table == table).Select(static run => run.Op), "{0} is run by tests", table);
        }
    }
}
