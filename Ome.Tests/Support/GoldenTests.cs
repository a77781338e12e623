namespace Ome.Tests.Support;

public sealed class GoldenTests
{
    [Test]
    public void Normalised_text_has_line_feeds_no_trailing_blanks_and_one_final_newline() =>
        Golden.Normalize("a  \r\nb\t\r\n\r\n").Should().Be("a\nb\n");

    [Test]
    public void Json_of_the_same_meaning_is_the_same_canonical_text() =>
        Golden.CanonicalJson("""{"b":[1,{"d":2,"c":null}],"a":"x"}""").Should().Be(Golden.CanonicalJson("""{ "a": "x", "b": [1, {"c":null, "d":2}] }"""));

    [Test]
    public void Yaml_of_the_same_meaning_is_the_same_canonical_text() =>
        Golden.CanonicalYaml("# note\nb: 'x'\na: [1, true, null]\n").Should().Be(Golden.CanonicalYaml("a:\n- 1\n- true\n-\nb: \"x\"\n"));

    [TestCase("a: 1", "a: '1'")]
    [TestCase("a: true", "a: \"true\"")]
    [TestCase("a: [1, 2]", "a: [2, 1]")]
    [TestCase("a: 1", "a: 1\n---\nb: 2")]
    public void Yaml_of_another_meaning_is_another_text(string one, string other) =>
        Golden.CanonicalYaml(one).Should().NotBe(Golden.CanonicalYaml(other));

    [Test]
    public void A_missing_or_different_file_fails_the_test_and_leaves_the_new_text_beside_it()
    {
        if (Golden.Updating) Assert.Ignore("This run rewrites goldens.");
        var folder = Path.Combine("Ome.Tests", "Cases", "golden-self-test");
        var path = Path.Combine(folder, "absent.txt");
        var full = Path.Combine(Architecture.RepositoryTests.RepositoryRoot(), folder);
        try
        {
            using (new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext())
            {
                FluentActions.Invoking(() => Golden.MatchFile("new", path)).Should().Throw<AssertionException>().WithMessage("*missing*OME_GOLDEN=update*");
            }
            Golden.ReadFile(path + ".actual").Should().Be("new\n");
        }
        finally
        {
            Directory.Delete(full, recursive: true);
        }
    }
}
