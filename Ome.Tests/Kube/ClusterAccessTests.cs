using System.Text;
using k8s;
using k8s.Exceptions;
using Ome.Shared.Kube;
using Ome.Tests.Support;

namespace Ome.Tests.Kube;

/// <summary>Which cluster a program takes, and what it says of a kubeconfig it cannot use.</summary>
public sealed class ClusterAccessTests
{
    private const string Whole = """
        # kubectl writes more than we read
        apiVersion: v1
        kind: Config
        preferences: {}
        current-context: second
        clusters:
        - name: one
          cluster: { server: "https://one.example:6443", insecure-skip-tls-verify: true, tls-server-name: api.one }
        - { name: two, cluster: { server: "http://127.0.0.1:8001", extensions: [{ name: x, extension: { a: 1 } }] } }
        contexts:
        - { name: first, context: { cluster: one, user: cert } }
        - { name: second, context: { cluster: two, user: bearer, namespace: team-a } }
        users:
        - { name: bearer, user: { token: "s3cret: with #marks" } }
        - { name: cert, user: { client-certificate: pki/me.crt, client-key: /etc/me.key } }
        - { name: basic, user: { username: ann, password: "12" } }
        """;

    private readonly TempDirectory _directory = new();

    [OneTimeTearDown]
    public void Delete() => _directory.Dispose();

    [TestCase("first")]
    [TestCase("second")]
    public void It_says_what_the_clients_own_reader_says(string context)
    {
        var file = Write("whole", Whole.Replace("current-context: second", "current-context: " + context, StringComparison.Ordinal));

        var found = Find(file);

        found.Should().BeEquivalentTo(KubernetesClientConfiguration.BuildConfigFromConfigFile(file));
        found.CurrentContext.Should().Be(context);
    }

    [Test]
    public void A_file_of_keys_is_looked_for_beside_the_kubeconfig()
    {
        var found = Find(Write("beside", Whole.Replace("current-context: second", "current-context: first", StringComparison.Ordinal)));

        found.ClientCertificateFilePath.Should().Be(_directory["pki/me.crt"]);
        found.ClientKeyFilePath.Should().Be("/etc/me.key");
    }

    [Test]
    public void A_token_may_lie_in_a_file_of_its_own()
    {
        File.WriteAllText(_directory["bearer"], "from a file\n");

        Find(Write("token-file", Of(user: "{ tokenFile: bearer }"))).AccessToken.Should().Be("from a file");
    }

    [Test]
    public void Of_several_files_the_first_that_names_a_thing_counts_and_an_absent_one_is_passed_over()
    {
        var first = Write("several-1", "{ users: [{ name: bearer, user: { token: mine } }] }");
        var second = Write("several-2", Whole);

        var found = Find($"{first}:{_directory["absent"]}:{second}");

        (found.AccessToken, found.Host, found.Namespace).Should().Be(("mine", "http://127.0.0.1:8001", "team-a"));
    }

    [Test]
    public void The_home_directory_is_looked_at_when_KUBECONFIG_is_not_set()
    {
        var home = _directory["home"];
        Directory.CreateDirectory(Path.Combine(home, ".kube"));
        File.WriteAllText(Path.Combine(home, ".kube", "config"), Whole);

        ClusterAccess.Find(name => name == "HOME" ? home : null).Host.Should().Be("http://127.0.0.1:8001");
    }

    [Test]
    public void Without_any_cluster_it_says_what_to_set() =>
        FluentActions.Invoking(() => ClusterAccess.Find(name => name == "HOME" ? _directory["nobody"] : null)).Should().Throw<KubeConfigException>()
            .WithMessage("there is no cluster to talk to:*set KUBECONFIG");

    [Test]
    public void A_credential_program_is_run()
    {
        Write("told-by", """
            echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$WORD-$1'"}}'
            """.ReplaceLineEndings("\n"));

        var found = Find(Write("exec", Of(user: $"{{ exec: {{ apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: [{_directory["told-by"]}, twice], env: [{{ name: WORD, value: told }}] }} }}")));

        found.AccessToken.Should().Be("told-twice");
    }

    [TestCase("[not, a, mapping]", "it is no YAML mapping")]
    [TestCase("{ clusters: [", "cannot be read: ")]
    [TestCase("", "it is no YAML mapping")]
    [TestCase("{ current-context: x }", "x not found in contexts")]
    [TestCase("{ clusters: 7 }", "Cannot infer server host url")]
    public void A_file_that_names_no_cluster_is_told(string text, string problem) =>
        FluentActions.Invoking(() => Find(Write("told", text))).Should().Throw<KubeConfigException>().WithMessage($"*{problem}*");

    [TestCase("{ auth-provider: { name: oidc } }", "user 'u' has an auth-provider, which Kubernetes 1.26 removed")]
    [TestCase("{ tokenFile: /nowhere/token }", "/nowhere/token")]
    [TestCase("{}", "does not have appropriate auth credentials")]
    public void Credentials_that_cannot_be_used_are_told(string user, string problem) =>
        FluentActions.Invoking(() => Find(Write("user", Of(user)))).Should().Throw<KubeConfigException>().WithMessage($"*{problem}*");

    [TestCase("certificate-authority-data: '%%%'")]
    [TestCase("certificate-authority: /nowhere/ca.crt")]
    public void An_authority_that_cannot_be_read_is_told(string authority) =>
        FluentActions.Invoking(() => Find(Write("authority", Of("{ token: t }", authority)))).Should().Throw<KubeConfigException>()
            .WithMessage($"the certificates or keys in the kubeconfig {_directory["authority"]} cannot be used: *");

    [Test]
    public void A_kubeconfig_that_is_not_there_is_told_by_its_name() =>
        FluentActions.Invoking(() => Find(_directory["nothing"])).Should().Throw<KubeConfigException>()
            .WithMessage($"the kubeconfig {_directory["nothing"]} is not there: check KUBECONFIG");

    [Test]
    public void A_kubeconfig_of_a_million_bytes_is_not_read_on()
    {
        var file = Write("huge", new StringBuilder("# ").Append('x', (1 << 20) + 1).Append('\n').Append(Whole).ToString());

        FluentActions.Invoking(() => Find(file)).Should().Throw<KubeConfigException>().WithMessage("*it has more than 1048576 bytes");
    }

    private static string Of(string user, string authority = "tls-server-name: t") => $"""
        current-context: c
        contexts: [{'{'} name: c, context: {'{'} cluster: k, user: u {'}'} {'}'}]
        clusters: [{'{'} name: k, cluster: {'{'} server: "https://127.0.0.1:6443", {authority} {'}'} {'}'}]
        users: [{'{'} name: u, user: {user} {'}'}]
        """;

    private static KubernetesClientConfiguration Find(string kubeconfig) => ClusterAccess.Find(name => name == "KUBECONFIG" ? kubeconfig : null);

    private string Write(string name, string text)
    {
        File.WriteAllText(_directory[name], text);
        return _directory[name];
    }
}
